// The official A2A SDK as the client: 1.0 and its layer for 0.3, over JSON-RPC and HTTP+JSON.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory, RestTransportFactory } from '@a2a-js/sdk/client';
import { Role, TaskState, verifyAgentCardSignature } from '@a2a-js/sdk';
import { Client as McpClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Bridge } from './bridge.mjs';

let bridge;
let base;
before(async () => { bridge = await Bridge.start(); base = new URL('/a2a/worker', bridge.url).href; });
after(async () => { await bridge.remove(); });

const legacyCompat = { enabled: true };
const transports = () => [new JsonRpcTransportFactory({ legacyCompat }), new RestTransportFactory({ legacyCompat })];

async function card() {
  return new DefaultAgentCardResolver().resolve(`${base}/`, '.well-known/agent-card.json');
}

// A client of one version over one binding.
async function connect(version, binding) {
  const found = await card();
  const supportedInterfaces = found.supportedInterfaces.filter(
    (one) => one.protocolVersion === version && one.protocolBinding === binding);
  assert.equal(supportedInterfaces.length, 1);
  return new ClientFactory({ transports: transports() }).createFromAgentCard({ ...found, supportedInterfaces });
}

const part = (kind, value, more = {}) => ({ content: { $case: kind, value }, metadata: undefined, filename: '', mediaType: '', ...more });
let count = 0;
const message = (parts, more = {}) => ({
  tenant: '', metadata: undefined, configuration: undefined,
  message: { messageId: `m${++count}`, contextId: '', taskId: '', role: Role.ROLE_USER, metadata: undefined, extensions: [],
    referenceTaskIds: [], parts: typeof parts === 'string' ? [part('text', parts)] : parts, ...more },
});
const configured = (request, more) => ({ ...request,
  configuration: { acceptedOutputModes: [], taskPushNotificationConfig: undefined, historyLength: undefined, returnImmediately: false, ...more } });
const query = (id) => ({ tenant: '', id, historyLength: undefined, metadata: undefined });
const texts = (parts) => parts.filter((one) => one.content.$case === 'text').map((one) => one.content.value);
const last = (task) => texts(task.artifacts.at(-1).parts).join('');

async function collect(stream) {
  const events = [];
  for await (const event of stream) events.push(event.payload);
  return events;
}

// A receiver of push notifications; the first post at each path is refused, so that it comes again.
async function receive() {
  const posts = [];
  const refused = new Set();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const first = !refused.has(request.url);
    refused.add(request.url);
    if (!first) posts.push({ path: request.url, headers: request.headers, body: JSON.parse(body) });
    response.writeHead(first ? 503 : 204).end();
    server.emit('post');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: (path) => `http://127.0.0.1:${server.address().port}${path}`,
    at: (path) => posts.filter((post) => post.path === path),
    async until(path, n) { while (this.at(path).length < n) await once(server, 'post'); return this.at(path); },
    close: () => { server.closeAllConnections(); server.close(); },
  };
}

async function rejects(promise, pattern) {
  await assert.rejects(promise, (error) => { assert.match(`${error.name} ${error.message}`, pattern); return true; });
}

test('the card names every way in', async () => {
  const found = await card();
  assert.equal(found.capabilities.streaming, true);
  assert.equal(found.capabilities.pushNotifications, true);
  assert.deepEqual(found.supportedInterfaces.map((one) => `${one.protocolBinding} ${one.protocolVersion}`).sort(),
    ['HTTP+JSON 0.3', 'HTTP+JSON 1.0', 'JSONRPC 0.3', 'JSONRPC 1.0']);
  assert.equal(found.skills[0].id, 'worker');
});

test('the card fits the version asked for; caches are answered with 304', async () => {
  const url = new URL('/a2a/worker/.well-known/agent-card.json', bridge.url);
  const first = await fetch(url);
  const again = await fetch(url, { headers: { 'if-none-match': first.headers.get('etag') } });
  assert.equal(again.status, 304);
  assert.ok(first.headers.get('last-modified'));
  const strict = await (await fetch(url, { headers: { 'a2a-version': '1.0' } })).json();
  assert.equal(strict.preferredTransport, undefined);
  assert.equal((await first.json()).preferredTransport, 'JSONRPC');
});

test('the card is signed with a key that is published', async () => {
  const keys = async (kid, jku) => {
    assert.equal(jku, new URL('/.well-known/jwks.json', bridge.url).href);
    return (await (await fetch(jku)).json()).keys.find((key) => key.kid === kid);
  };
  for (const headers of [{}, { 'a2a-version': '1.0' }]) {
    const found = await (await fetch(`${base}/.well-known/agent-card.json`, { headers })).json();
    await verifyAgentCardSignature(keys)(found);
    await assert.rejects(verifyAgentCardSignature(keys)({ ...found, name: 'Another' }));
  }
});

for (const version of ['1.0', '0.3'])
  for (const binding of ['JSONRPC', 'HTTP+JSON']) {
    const name = (text) => `${version} ${binding}: ${text}`;
    const client = () => connect(version, binding);
    // That proto has no file names and no metadata of parts, and the SDK does not read append and lastChunk (tests/a2a/ does).
    const lossy = version === '0.3' && binding === 'HTTP+JSON';

    test(name('send, get'), async () => {
      const it = await client();
      const task = await it.sendMessage(configured(message('echo')));
      assert.equal(task.status.state, TaskState.TASK_STATE_COMPLETED);
      assert.equal(last(task), 'echo');
      const same = await it.getTask(query(task.id));
      assert.equal(same.id, task.id);
      assert.deepEqual(same.history.map((one) => texts(one.parts)), [['echo']]);
      assert.equal((await it.getTask({ ...query(task.id), historyLength: 0 })).history.length, 0);
    });

    test(name('a message instead of a task'), async () => {
      const it = await client();
      const said = await it.sendMessage(configured(message('say')));
      assert.deepEqual([said.status, texts(said.parts), said.role], [undefined, ['just a word'], Role.ROLE_AGENT]);
      const events = await collect(it.sendMessageStream(message('say')));
      assert.deepEqual(events.map((event) => event.$case), ['message']);
    });

    test(name('ends'), async () => {
      const it = await client();
      for (const [text, state] of [['no', TaskState.TASK_STATE_FAILED], ['reject', TaskState.TASK_STATE_REJECTED],
        ['protocol', TaskState.TASK_STATE_FAILED]]) {
        const task = await it.sendMessage(configured(message(text)));
        assert.equal(task.status.state, state);
        assert.equal(texts(task.status.message.parts).length, 1);
      }
    });

    test(name('return immediately, subscribe, cancel'), async () => {
      const it = await client();
      const task = await it.sendMessage(configured(message('wait'), { returnImmediately: true }));
      assert.ok([TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING].includes(task.status.state));
      const stream = it.resubscribeTask(query(task.id));
      assert.equal((await stream.next()).value.payload.$case, 'task');
      const rest = collect(stream);
      assert.equal((await it.cancelTask(query(task.id))).status.state, TaskState.TASK_STATE_CANCELED);
      assert.equal((await rest).at(-1).value.status.state, TaskState.TASK_STATE_CANCELED);
      await rejects(it.cancelTask(query(task.id)), /cancel|ended already/i);
      await rejects(collect(it.resubscribeTask(query(task.id))), /ended/);
    });

    test(name('stream: progress, artifacts in pieces, result'), async () => {
      const it = await client();
      const events = await collect(it.sendMessageStream(message('files')));
      assert.equal(events[0].$case, 'task');
      const updates = events.filter((event) => event.$case === 'artifactUpdate').map((event) => event.value);
      assert.deepEqual(updates.map((one) => one.artifact.parts[0].content.$case), ['raw', 'url', 'data', 'text']);
      if (!lossy)
        assert.deepEqual(updates.map((one) => [one.append, one.lastChunk]), [[false, false], [true, false], [true, true], [false, true]]);
      assert.equal(events.at(-1).value.status.state, TaskState.TASK_STATE_COMPLETED);
      const [file] = (await it.getTask(query(events[0].value.id))).artifacts;
      assert.deepEqual(file.parts.map((one) => one.content.$case), ['raw', 'url', 'data']);
      assert.deepEqual([...file.parts[0].content.value], [0, 1, 2]);
      assert.deepEqual([file.parts[0].mediaType, file.parts[0].filename], ['image/png', lossy ? '' : 'a.png']);
      assert.deepEqual(file.parts[2].content.value, { n: 1 });
      const progress = await collect(it.sendMessageStream(message('progress')));
      assert.ok(progress.some((event) => event.$case === 'statusUpdate' && event.value.metadata?.progress?.total === 3));
    });

    test(name('stream: the answer in pieces'), async () => {
      const it = await client();
      const events = await collect(it.sendMessageStream(message('chunks')));
      const updates = events.filter((event) => event.$case === 'artifactUpdate').map((event) => event.value);
      assert.deepEqual(updates.map((one) => texts(one.artifact.parts).join('')), ['one ', 'two', 'one two']);
      if (!lossy) assert.deepEqual(updates.map((one) => one.append), [false, true, false]);
      assert.equal(new Set(updates.map((one) => one.artifact.artifactId)).size, 1);
    });

    test(name('every kind of part, whole'), async () => {
      const it = await client();
      const parts = [part('text', 'mirror'), part('raw', Buffer.from([1, 2, 3]), { mediaType: 'image/png', filename: 'x.png' }),
        part('url', 'https://example.com/y', { mediaType: 'text/html' }), part('data', { a: [1, { b: null }] }, { metadata: { k: 'v' } }), part('data', [1, 'two'])];
      const request = configured(message(parts, { metadata: { 'https://example.com/ext': { deep: true } } }));
      const task = await it.sendMessage(request);
      const back = task.artifacts.at(-1).parts;
      assert.deepEqual(back.slice(0, 5).map((one) => one.content.$case), ['text', 'raw', 'url', 'data', 'data']);
      assert.deepEqual([...back[1].content.value], [1, 2, 3]);
      assert.deepEqual([back[1].mediaType, back[1].filename, back[2].content.value], ['image/png', lossy ? '' : 'x.png', 'https://example.com/y']);
      assert.deepEqual(back[3].content.value, { a: [1, { b: null }] });
      assert.deepEqual(back[3].metadata, lossy ? undefined : { k: 'v' });
      assert.deepEqual(back[4].content.value, lossy ? { value: [1, 'two'] } : [1, 'two']);
      assert.deepEqual(back[5].content.value, { id: request.message.messageId, metadata: { 'https://example.com/ext': { deep: true } } });
    });

    test(name('input required: in words, by key, and what is no answer'), async () => {
      const it = await client();
      const asked = await it.sendMessage(configured(message('name')));
      assert.equal(asked.status.state, TaskState.TASK_STATE_INPUT_REQUIRED);
      const data = asked.status.message.parts.find((one) => one.content.$case === 'data').content.value;
      assert.equal(data.questions.name.kind, 'form');
      const done = await it.sendMessage(configured(message('Ann', { taskId: asked.id, contextId: asked.contextId })));
      assert.deepEqual([done.id, last(done)], [asked.id, 'Ann']);
      assert.deepEqual(done.history.map((one) => texts(one.parts)), [['name'], ['For whom?'], ['Ann']]);

      const approval = await it.sendMessage(configured(message('ask')));
      const still = await it.sendMessage(configured(message('perhaps', { taskId: approval.id })));
      assert.equal(still.status.state, TaskState.TASK_STATE_INPUT_REQUIRED);
      assert.match(texts(still.status.message.parts)[0], /yes or no/);
      const events = await collect(it.sendMessageStream(
        message([part('data', { go: { action: 'accept' } })], { taskId: approval.id })));
      assert.equal(events.at(-1).value.status.state, TaskState.TASK_STATE_COMPLETED);
      assert.equal(last(await it.getTask(query(approval.id))), 'accept');
    });

    test(name('a stream ends where input is required; authorization is waited for'), async () => {
      const it = await client();
      const events = await collect(it.sendMessageStream(message('ask')));
      assert.equal(events.at(-1).value.status.state, TaskState.TASK_STATE_INPUT_REQUIRED);
      await it.cancelTask(query(events[0].value.id));
      const auth = await it.sendMessage(configured(message('auth')));
      assert.equal(auth.status.state, TaskState.TASK_STATE_AUTH_REQUIRED);
      const task = await it.sendMessage(configured(message('yes', { taskId: auth.id })));
      assert.equal(last(task), 'in');
    });

    test(name('a conversation'), async () => {
      const it = await client();
      const contextId = `talk ${version} ${binding}`;
      const one = await it.sendMessage(configured(message('echo', { contextId })));
      const two = await it.sendMessage(configured(message('data', { contextId })));
      assert.deepEqual([one.contextId, two.contextId], [contextId, contextId]);
      assert.notEqual(one.id, two.id);
    });

    test(name('push notifications'), async () => {
      const it = await client();
      const receiver = await receive();
      const authentication = { scheme: 'Bearer', credentials: 'let me in' };
      const config = (path, more = {}) => ({ tenant: '', id: '', taskId: '', url: receiver.url(path), token: 't', authentication, ...more });
      const task = await it.sendMessage(configured(message('ask'), { taskPushNotificationConfig: config('/sent', { id: 'sent' }) }));
      const made = await it.createTaskPushNotificationConfig(config('/made', { taskId: task.id }));
      assert.ok(made.id.length > 0);
      assert.deepEqual([made.taskId, made.url, made.authentication?.scheme], [task.id, receiver.url('/made'), 'Bearer']);
      await it.createTaskPushNotificationConfig(config('/gone', { taskId: task.id, id: 'gone' }));
      const named = (id) => ({ tenant: '', taskId: task.id, id });
      assert.equal((await it.getTaskPushNotificationConfig(named('gone'))).url, receiver.url('/gone'));
      await it.deleteTaskPushNotificationConfig(named('gone'));
      await it.deleteTaskPushNotificationConfig(named('gone'));
      await rejects(it.getTaskPushNotificationConfig(named('gone')), /no push notification configuration/);
      const list = await it.listTaskPushNotificationConfig({ tenant: '', taskId: task.id, pageSize: 0, pageToken: '' });
      assert.deepEqual(list.configs.map((one) => one.id), ['sent', made.id]);
      await it.sendMessage(configured(message('yes', { taskId: task.id })));
      for (const [path, n] of [['/sent', 4], ['/made', 2]]) {
        const posts = await receiver.until(path, n);
        const states = posts.map(({ body }) => (body.task ?? body.statusUpdate ?? body).status.state.replace('TASK_STATE_', '').replace('-', '_').toUpperCase());
        assert.deepEqual(states, ['WORKING', 'INPUT_REQUIRED', 'WORKING', 'COMPLETED'].slice(-n));
        assert.deepEqual(posts.map(({ body }) => body.kind), Array(n).fill(version === '0.3' ? 'task' : undefined));
        for (const { headers } of posts)
          assert.deepEqual([headers.authorization, headers['x-a2a-notification-token']], ['Bearer let me in', 't']);
      }
      assert.equal(receiver.at('/gone').length, 0);
      await rejects(it.createTaskPushNotificationConfig(config('/x', { taskId: task.id, url: 'http://10.0.0.1/' })), /outbound\.allow/);
      receiver.close();
    });

    test(name('errors are told'), async () => {
      const it = await client();
      const task = await it.sendMessage(configured(message('echo')));
      await rejects(it.getTask(query('nothing')), /no task/);
      await rejects(it.sendMessage(configured(message('more', { taskId: task.id }))), /ended/);
      await rejects(it.sendMessage(configured(message('more', { taskId: 'nothing' }))), /no task/);
      await rejects(it.sendMessage(configured(message([]))), /at least one part/);
    });
  }

for (const binding of ['JSONRPC', 'HTTP+JSON'])
  test(`1.0 ${binding}: lists`, async () => {
    const it = await connect('1.0', binding);
    const contextId = `list ${binding}`;
    for (const text of ['echo', 'no', 'artifact', 'reject', 'echo']) await it.sendMessage(configured(message(text, { contextId })));
    const filter = { tenant: '', contextId, status: TaskState.TASK_STATE_UNSPECIFIED, pageSize: 2, pageToken: '',
      historyLength: undefined, statusTimestampAfter: undefined, includeArtifacts: undefined };
    const seen = [];
    let page;
    do {
      page = await it.listTasks({ ...filter, pageToken: page?.nextPageToken ?? '' });
      assert.equal(page.totalSize, 5);
      seen.push(...page.tasks.map((task) => task.id));
    } while (page.nextPageToken !== '');
    assert.equal(new Set(seen).size, 5);
    const rejected = await it.listTasks({ ...filter, status: TaskState.TASK_STATE_REJECTED, includeArtifacts: true });
    assert.equal(rejected.totalSize, 1);
    const whole = await it.listTasks({ ...filter, pageSize: 50, includeArtifacts: true });
    assert.deepEqual(whole.tasks.map((task) => task.artifacts.length), [1, 0, 2, 0, 1]);
  });

test('one task, whichever protocol looks', async () => {
  const it = await connect('1.0', 'JSONRPC');
  const mcp = new McpClient({ name: 'interop', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await mcp.connect(new StreamableHTTPClientTransport(bridge.url));
  const task = await it.sendMessage(configured(message('echo')));
  const seen = await mcp.callTool({ name: 'get-task', arguments: { task_id: task.id } });
  assert.deepEqual([seen.structuredContent.status, seen.structuredContent.result], ['completed', 'echo']);
  const made = await mcp.callTool({ name: 'invoke', arguments: { agent: 'worker', text: 'data' } });
  const found = await it.getTask(query(made.structuredContent.task_id));
  assert.equal(found.status.state, TaskState.TASK_STATE_COMPLETED);
  assert.deepEqual(found.artifacts.at(-1).parts.at(-1).content.value, { count: 3 });
  const asked = await mcp.callTool({ name: 'invoke', arguments: { agent: 'worker', text: 'name', wait_s: 0 } });
  const waiting = await it.getTask(query(asked.structuredContent.task_id));
  assert.equal(waiting.id, asked.structuredContent.task_id);
  await mcp.close();
});
