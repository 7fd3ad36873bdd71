// A remote agent that lies, floods, redirects or breaks off: each ends the task with an error that says what happened,
// in both of A2A's versions as the client sees it, and nothing of the operator's goes where it should not.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Bridge, call, message, said, send } from './house.mjs';

const card = (url, more = {}) => JSON.stringify({ name: 'bad', description: 'd', version: '1', capabilities: { streaming: true }, skills: [],
  supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }], ...more });
const event = (result) => `data: ${JSON.stringify({ jsonrpc: '2.0', id: 1, result })}\n\n`;
const first = event({ task: { id: 'T', contextId: 'C', status: { state: 'TASK_STATE_WORKING' } } });

// What it does, by the first part of the path; `requests` are those that came, with the key that was sent along.
const requests = [];
let base;
let elsewhere;
const cards = {
  redirect: (response) => response.writeHead(302, { location: `${elsewhere}/redirected/card` }).end(),
  huge: (response) => response.end(card(`${base}/huge/rpc`, { description: 'x'.repeat(300000) })),
  other: (response) => response.end(card(`${elsewhere}/other/rpc`)),
  html: (response) => response.end('<html>'),
  gone: (response) => response.writeHead(404).end(),
};
const streams = {
  garbage: (response) => response.end(`${first}data: this is no JSON\n\n`),
  another: (response) => response.end(first + event({ statusUpdate: { taskId: 'X', contextId: 'C', status: { state: 'TASK_STATE_COMPLETED' } } })),
  cut: (response) => { response.write('data: {"jsonrpc":'); response.socket.destroySoon(); },
  silent: (response) => response.end(),
  shapeless: (response) => response.end(event({ song: 'la' })),
  flood: async (response) => {
    response.write(first);
    const noise = `: ${'noise '.repeat(20000)}\n\n`;
    while (!response.destroyed && !response.writableEnded)
      if (!response.write(noise)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  },
};

function answer(request, response) {
  const [, kind, what] = request.url.split('/');
  requests.push({ host: request.headers.host, url: request.url, key: request.headers['x-api-key'] });
  request.resume();
  request.on('end', () => {
    response.on('error', () => {});
    if (what === 'card') {
      response.setHeader('content-type', 'application/json');
      (cards[kind] ?? (() => response.end(card(`${base}/${kind}/rpc`))))(response);
    } else if (kind in streams) {
      response.setHeader('content-type', 'text/event-stream');
      streams[kind](response);
    } else {
      response.writeHead(500).end();
    }
  });
}

const listen = async () => {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};
let servers = [];
let bridge;
before(async () => {
  servers = [await listen(), await listen()];
  [base, elsewhere] = servers.map((server) => `http://127.0.0.1:${server.address().port}`);
  process.env.HOSTILE_KEY = 'hush';
  bridge = await Bridge.start(Object.fromEntries([...Object.keys(cards), ...Object.keys(streams)].map((kind) =>
    [kind, { kind: 'a2a', card: `${base}/${kind}/card`, api_key: { env: 'HOSTILE_KEY' }, api_key_header: 'X-API-Key' }])));
});
after(async () => {
  await bridge?.remove();
  for (const server of servers) { server.closeAllConnections(); server.close(); }
});

for (const [kind, words] of Object.entries({
  redirect: /redirects, which is not followed; if http:\/\/127\.0\.0\.1:\d+\/redirected\/card is meant/,
  huge: /larger than 262144 bytes/, other: /names another host, 127\.0\.0\.1:\d+/, html: /no JSON/, gone: /HTTP status 404/,
  garbage: /broke the protocol: an event in the stream of the agent is no JSON/, another: /answered for another task: X instead of T/,
  cut: /connection was lost before the agent said/, silent: /ended without a word/, shapeless: /neither a task nor a message/,
  flood: /longer than 67108864 bytes/,
}))
  test(`${kind}: the task fails and says why`, async () => {
    const task = await send(bridge, kind, 'hello');
    assert.equal(task.status.state, 'TASK_STATE_FAILED');
    assert.match(said(task), words);
    const old = await (await fetch(`${bridge.base}/a2a/${kind}`, { method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tasks/get', params: { id: task.id } }) })).json();
    assert.equal(old.result.status.state, 'failed');
    assert.match(old.result.status.message.parts[0].text, words);
  });

test('the key goes to the host of the card only, and is not told', async () => {
  const own = new URL(base).host;
  assert.ok(requests.some((one) => one.key === 'hush' && one.url.endsWith('/rpc')));
  assert.ok(requests.every((one) => one.host === own), 'nothing went elsewhere');
  assert.ok(!bridge.log.includes('hush'));
  await assert.rejects(call(bridge, 'garbage', 'SendMessage', { message: { ...message('x'), parts: [] } }), /parts/);
});
