// Remote agents that post what becomes of a task: another bridge and the official SDK's server, in both versions over both
// bindings; an agent spoken by hand, for what it may post; and posts that are lost, refused, or come after a restart.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Bridge, call, eventually, said, send, until, words } from './house.mjs';
import { serveAgent } from './sdk_agent.mjs';

const here = (file) => path.join(import.meta.dirname, file);
const ways = [['1.0', 'JSONRPC'], ['1.0', 'HTTP+JSON'], ['0.3', 'JSONRPC'], ['0.3', 'HTTP+JSON']];
const idOf = (kind, version, binding) => `${kind}-${version}-${binding === 'JSONRPC' ? 'rpc' : 'rest'}`;
const open = { outbound: { allow: ['127.0.0.0/8'] } };
const program = (file) => ({ kind: 'command', command: [here(file)], output: 'events', env: ['PATH'] });
const programs = () => ({ worker: program('../golden/agent.py'), gate: program('gate.py') });

// Without a post the first look at a task comes after 24 s at the earliest.
const promptly = async (work) => {
  const begin = performance.now();
  const result = await work();
  assert.ok(performance.now() - begin < 20000, 'it was told of by a post');
  return result;
};

// How many connections this process has to that port.
function connections(bridge, port) {
  const own = new Set(readdirSync(`/proc/${bridge.process.pid}/fd`).map((fd) => {
    try { return readlinkSync(`/proc/${bridge.process.pid}/fd/${fd}`); } catch { return ''; }
  }));
  return readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1).map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length > 9 && Number.parseInt(fields[2].split(':')[1], 16) === Number(port) && own.has(`socket:[${fields[9]}]`)).length;
}

// An agent that is spoken by hand: each task is told of as `stub.state` says, and posts nothing by itself.
async function serveStub() {
  const stub = { state: 'TASK_STATE_WORKING', sends: [], looks: 0, deletes: [], refuse: null };
  const task = () => ({ id: 'T', contextId: 'C', status: { state: stub.state } });
  const methods = {
    SendMessage: ({ configuration }) => { stub.sends.push(configuration.taskPushNotificationConfig); return { task: task() }; },
    GetTask: () => { stub.looks++; return task(); },
    CancelTask: () => ({ ...task(), status: { state: 'TASK_STATE_CANCELED' } }),
    DeleteTaskPushNotificationConfig: (params) => { stub.deletes.push(params); return null; },
  };
  const server = createServer(async (incoming, response) => {
    let body = '';
    for await (const piece of incoming) body += piece;
    response.setHeader('content-type', 'application/json');
    if (incoming.method === 'GET') {
      response.end(JSON.stringify({ name: 'stub', description: 'd', version: '1', capabilities: { streaming: false, pushNotifications: true }, skills: [],
        supportedInterfaces: [{ url: `${stub.base}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }] }));
    } else {
      const { id, method, params } = JSON.parse(body);
      const error = method === 'SendMessage' && params.configuration.taskPushNotificationConfig && stub.refuse;
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...(error ? { error } : { result: methods[method](params) }) }));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stub.base = `http://127.0.0.1:${server.address().port}`;
  stub.close = async () => { server.closeAllConnections(); await new Promise((over) => server.close(over)); };
  return stub;
}

let far;
let sdk;
let stub;
let near;
before(async () => {
  [far, sdk, stub] = await Promise.all([Bridge.start(programs(), open), serveAgent({ push: true }), serveStub()]);
  const agents = { stub: { kind: 'a2a', card: `${stub.base}/card`, push: true } };
  for (const [version, binding] of ways) {
    const more = { kind: 'a2a', version, binding, push: true };
    agents[idOf('worker', version, binding)] = { card: far.card('worker'), ...more };
    agents[idOf('gate', version, binding)] = { card: far.card('gate'), ...more };
    agents[idOf('sdk', version, binding)] = { card: sdk.card, ...more };
  }
  near = await Bridge.start(agents);
});
after(async () => { await near?.remove(); await far?.remove(); await sdk?.close(); await stub?.close(); });

// A task that has got half-way, through this bridge.
async function atTheGate(bridge, id) {
  const gate = path.join(bridge.folder, `gate-${Math.random()}`);
  execFileSync('mkfifo', [gate]);
  const task = await send(bridge, id, gate, {}, { returnImmediately: true });
  await until(bridge, id, task.id, (one) => said(one) === 'at the gate');
  return { gate, id: task.id };
}
const completed = (bridge, agent, id) => until(bridge, agent, id, (one) => one.status.state === 'TASK_STATE_COMPLETED');

for (const [version, binding] of ways) {
  const name = (text) => `${version} ${binding}: ${text}`;
  const [worker, gated, far_sdk] = ['worker', 'gate', 'sdk'].map((kind) => idOf(kind, version, binding));

  test(name('a task of another bridge goes on by posts alone, and no connection is open meanwhile'), () => promptly(async () => {
    const { gate, id } = await atTheGate(near, gated);
    await eventually(() => connections(near, far.port) === 0);
    await writeFile(gate, 'after');
    const task = await completed(near, gated, id);
    assert.deepEqual(task.artifacts.map((one) => [one.name, words(one.parts)]), [['Draft', 'half'], ['result', 'before after']]);
  }));

  test(name('questions and answers'), () => promptly(async () => {
    const asked = await send(near, worker, 'form');
    assert.equal(asked.status.state, 'TASK_STATE_INPUT_REQUIRED');
    const answers = { name: { action: 'accept', content: { who: 'Ann' } }, go: { action: 'decline' } };
    const again = await send(near, worker, '', { taskId: asked.id, parts: [{ data: answers }] });
    assert.equal(again.status.state, 'TASK_STATE_INPUT_REQUIRED');
    const second = again.status.message.parts.find((one) => one.data).data.questions;
    const replies = Object.fromEntries(Object.entries(second).map(([key, one]) => [key, one.kind === 'form' ? { action: 'accept', content: { who: 'Bob', size: 's' } } : { action: 'accept' }]));
    const task = await send(near, worker, '', { taskId: asked.id, parts: [{ data: replies }] });
    assert.equal(task.status.state, 'TASK_STATE_COMPLETED', said(task));
  }));

  test(name('ends'), () => promptly(async () => {
    for (const [text, state] of [['no', 'FAILED'], ['reject', 'REJECTED'], ['chunks', 'COMPLETED'], ['data', 'COMPLETED']]) {
      const task = await send(near, worker, text);
      assert.equal(task.status.state, `TASK_STATE_${state}`);
    }
  }));

  test(name('cancelling reaches the program and takes the address back'), () => promptly(async () => {
    const task = await send(near, worker, 'wait', {}, { returnImmediately: true });
    await until(near, worker, task.id, (one) => said(one) === 'waiting');
    const [there] = (await call(far, 'worker', 'ListTasks', { pageSize: 1 })).tasks;
    const configs = async () => (await call(far, 'worker', 'ListTaskPushNotificationConfigs', { taskId: there.id })).configs;
    assert.deepEqual((await configs()).map((one) => one.url), [`${near.base}/notifications/${worker}/${task.id}`]);
    await call(near, worker, 'CancelTask', { id: task.id });
    await until(far, 'worker', there.id, (one) => one.status.state === 'TASK_STATE_CANCELED');
    await eventually(async () => (await configs()).length === 0);
  }));

  test(name('the official server posts, and no connection is open meanwhile'), () => promptly(async () => {
    const task = await send(near, far_sdk, 'wait', {}, { returnImmediately: true });
    await until(near, far_sdk, task.id, (one) => said(one) === 'waiting');
    await eventually(() => connections(near, new URL(sdk.base).port) === 0);
    const before = sdk.executor.cancels.length;
    await call(near, far_sdk, 'CancelTask', { id: task.id });
    await eventually(() => sdk.executor.cancels.length > before);
  }));

  test(name('with the official server: ends, pieces, a question, a sign-in'), () => promptly(async () => {
    for (const [text, state] of [['no', 'FAILED'], ['reject', 'REJECTED'], ['progress', 'COMPLETED']])
      assert.equal((await send(near, far_sdk, text)).status.state, `TASK_STATE_${state}`);
    assert.deepEqual((await send(near, far_sdk, 'pieces')).artifacts.map((one) => one.artifactId).slice(0, 2), ['poem', 'files']);
    const asked = await send(near, far_sdk, 'ask');
    assert.equal(said(asked), 'Where to?');
    assert.equal(words((await send(near, far_sdk, 'Rome', { taskId: asked.id })).artifacts[0].parts), 'to Rome');
    const signing = await send(near, far_sdk, 'auth');
    assert.equal(signing.status.state, 'TASK_STATE_AUTH_REQUIRED');
    sdk.executor.wakeAll();
    assert.equal(words((await completed(near, far_sdk, signing.id)).artifacts.at(-1).parts), 'in');
  }));
}

test('the other bridge has nothing left that it could not post', async () => {
  const rows = execFileSync(process.env.AGENTBRIDGE, ['webhooks', 'list', '--json', '--data', path.join(far.folder, 'data')], { encoding: 'utf8' });
  assert.equal(rows, '');
});

// --- restarts ---

for (const signal of ['SIGKILL', 'SIGTERM'])
  test(`the bridge goes with ${signal} and comes back: it looks at once, then is told again`, () => promptly(async () => {
    const agent = 'gate-1.0-rpc';
    const [first, second] = [await atTheGate(near, agent), await atTheGate(near, agent)];
    const [, there] = (await call(far, 'gate', 'ListTasks', { pageSize: 2 })).tasks; // the newest change first
    await near.stop(signal);
    await writeFile(first.gate, 'away');
    await completed(far, 'gate', there.id);
    await near.go();
    assert.equal(words((await completed(near, agent, first.id)).artifacts.at(-1).parts), 'before away');
    await until(near, agent, second.id, (one) => one.status.state === 'TASK_STATE_WORKING');
    await eventually(() => connections(near, far.port) === 0);
    await writeFile(second.gate, 'after');
    assert.equal(words((await completed(near, agent, second.id)).artifacts.at(-1).parts), 'before after');
  }));

// --- posts that do not come ---

test('no post gets through: the task is looked at now and then', async () => {
  const bridge = await Bridge.start({ gate: { kind: 'a2a', card: far.card('gate'), push: true, push_look_s: 0.3 } }, { public_url: 'http://127.0.0.1:1' });
  try {
    const { gate, id } = await atTheGate(bridge, 'gate');
    await writeFile(gate, 'after');
    assert.equal(words((await completed(bridge, 'gate', id)).artifacts.at(-1).parts), 'before after');
  } finally {
    await bridge.remove();
  }
});

test('an agent that may not post here is followed as without, and has the message once', () => promptly(async () => {
  const shut = await Bridge.start(programs());
  const bridge = await Bridge.start({ gate: { kind: 'a2a', card: shut.card('gate'), push: true } });
  try {
    const { gate, id } = await atTheGate(bridge, 'gate');
    assert.ok(connections(bridge, shut.port) > 0, 'by a stream');
    await writeFile(gate, 'after');
    await completed(bridge, 'gate', id);
    assert.equal((await call(shut, 'gate', 'ListTasks', {})).totalSize, 1);
    assert.match(bridge.log, /refused a message with an address for push notifications/);
  } finally {
    await bridge.remove();
    await shut.remove();
  }
}));

test('an agent whose card offers no posts is followed as without, and the log says so once', async () => {
  const silent = await serveAgent();
  const bridge = await Bridge.start({ far: { kind: 'a2a', card: silent.card, push: true } });
  try {
    for (let i = 0; i < 3; i++) assert.equal((await send(bridge, 'far', 'progress')).status.state, 'TASK_STATE_COMPLETED');
    assert.equal(bridge.log.match(/offers no push notifications/g).length, 1);
  } finally {
    await bridge.remove();
    await silent.close();
  }
});

// --- what may be posted ---

// One request as it stands, with its own Host and Origin; the status.
async function ask(address, { method = 'POST', body, ...headers }) {
  const outgoing = request(address, { method, headers: { 'content-type': 'application/json', ...headers } });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response', { signal: AbortSignal.timeout(20000) });
  response.resume();
  await once(response, 'close');
  return response.statusCode;
}

test('posts are taken from who has the token, and tell of the one task', async () => {
  const task = await send(near, 'stub', 'hello', {}, { returnImmediately: true });
  await eventually(() => stub.sends.length === 1);
  const { url, token } = stub.sends[0];
  assert.equal(url, `${near.base}/notifications/stub/${task.id}`);
  const good = { 'x-a2a-notification-token': token, body: '{"task":{"id":"T","contextId":"C","status":{"state":"TASK_STATE_COMPLETED"}}}' };
  const nowhere = `${near.base}/notifications/stub/${'0'.repeat(32)}`;
  const cases = [
    ['no token', url, { body: good.body }, 401],
    ['another token', url, { ...good, 'x-a2a-notification-token': `${token.slice(0, -4)}AAAA` }, 401],
    ['as other credentials', url, { ...good, 'x-a2a-notification-token': '', authorization: `Basic ${token}` }, 401],
    ['no such task, no token', nowhere, { body: good.body }, 401],
    ['no such task', nowhere, good, 401],
    ['no such agent', url.replace('/stub/', '/nobody/'), good, 401],
    ['a look', url, { ...good, method: 'GET', body: undefined }, 405],
    ['a deletion', url, { ...good, method: 'DELETE', body: undefined }, 405],
    ['a form', url, { ...good, 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['garbage', url, { ...good, body: 'garbage' }, 400],
    ['half of it', url, { ...good, body: good.body.slice(0, 20) }, 400],
    ['something else', url, { ...good, body: '{"hello":"world"}' }, 400],
    ['another task', url, { ...good, body: good.body.replace('"T"', '"X"') }, 400],
    ['too much', url, { ...good, body: `{"task":"${'x'.repeat(5 << 20)}"}` }, 413],
    ['a page elsewhere', url, { ...good, origin: 'https://evil.example' }, 403],
    ['another name for this host', url, { ...good, host: 'evil.example' }, 403],
  ];
  for (const [what, address, wish, status] of cases) assert.equal(await ask(address, wish), status, what);
  assert.equal(stub.looks, 0, 'nothing came of it');
  assert.match(near.log, /tells of another task/);
  assert.ok(!near.log.includes(token), 'the log has no token');

  assert.equal(await ask(url, good), 204);
  await eventually(() => stub.looks === 1);
  assert.equal((await call(near, 'stub', 'GetTask', { id: task.id })).status.state, 'TASK_STATE_WORKING', 'what was posted is not believed');
  await Promise.all(Array.from({ length: 50 }, () => ask(url, good)));
  await eventually(() => stub.looks >= 2);
  assert.ok(stub.looks < 10, `${stub.looks} looks for 50 posts`);
  stub.state = 'TASK_STATE_COMPLETED';
  assert.equal(await ask(url, { body: good.body, authorization: `Bearer ${token}`, 'content-type': 'application/a2a+json' }), 204);
  await completed(near, 'stub', task.id);
  assert.equal(await ask(url, good), 204, 'late, and nothing to be stopped');
});

test('who goes on posting after a stop is told to cease', async () => {
  stub.state = 'TASK_STATE_WORKING';
  const task = await send(near, 'stub', 'hello', {}, { returnImmediately: true });
  await eventually(() => stub.sends.length === 2);
  const { id, url, token } = stub.sends[1];
  await call(near, 'stub', 'CancelTask', { id: task.id });
  await eventually(() => stub.deletes.length === 1);
  assert.deepEqual(stub.deletes[0], { taskId: 'T', id });
  const late = () => ask(url, { 'x-a2a-notification-token': token, body: '{"task":{"id":"T"}}' });
  await eventually(async () => (await late()) === 410);
});

test('posts come in under the public name', async () => {
  const bridge = await Bridge.start({ stub: { kind: 'a2a', card: `${stub.base}/card`, push: true } }, { public_url: 'https://agents.example.com/bridge/' });
  try {
    const before = stub.sends.length;
    await send(bridge, 'stub', 'hello', {}, { returnImmediately: true });
    await eventually(() => stub.sends.length > before);
    const { url, token } = stub.sends.at(-1);
    assert.match(url, /^https:\/\/agents\.example\.com\/bridge\/notifications\/stub\/[0-9a-f]{32}$/);
    // A proxy takes its own part of the path off and keeps the name.
    const address = `${bridge.base}${new URL(url).pathname.replace('/bridge', '')}`;
    assert.equal(await ask(address, { host: 'agents.example.com', 'x-a2a-notification-token': token, body: '{"task":{"id":"T"}}' }), 204);
  } finally {
    await bridge.remove();
  }
});

test('an agent that refuses the address for reasons of its own gets the message without', async () => {
  const before = stub.sends.length;
  stub.refuse = { code: -32003, message: 'none of your posts' };
  const task = await send(near, 'stub', 'hello', {}, { returnImmediately: true });
  await eventually(() => stub.sends.length > before);
  assert.equal(stub.sends.at(-1), undefined);
  assert.match(near.log, /refused a message with an address for push notifications/);
  assert.ok(!near.log.includes('none of your posts'), 'its words may hold the token');
  stub.refuse = null;
  await call(near, 'stub', 'CancelTask', { id: task.id });
});
