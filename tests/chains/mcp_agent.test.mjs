// The tools of MCP SDK servers as agents: A2A SDK client -> bridge -> tool, and MCP SDK client -> bridge -> tool, with
// servers of both generations over HTTP and stdio.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory } from '@a2a-js/sdk/client';
import { Role, TaskState } from '@a2a-js/sdk';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { Bridge } from './house.mjs';
import { serveV1, serveV2, stdio } from './mcp_tools.mjs';

let bridge;
const servers = {};
const agents = ['v1', 'v2', 'pipe1', 'pipe2'];
before(async () => {
  servers.v1 = await serveV1();
  servers.v2 = await serveV2();
  bridge = await Bridge.start({
    v1: { kind: 'mcp', url: servers.v1.url, publish: 'skills' },
    v2: { kind: 'mcp', url: servers.v2.url, publish: 'skills' },
    pipe1: { kind: 'mcp', command: stdio(1), publish: 'skills' },
    pipe2: { kind: 'mcp', command: stdio(2), publish: 'skills' },
  });
});
after(async () => { await bridge?.remove(); await servers.v1?.stop(); await servers.v2?.stop(); });

async function connect(agent) {
  const card = await new DefaultAgentCardResolver().resolve(`${bridge.base}/a2a/${agent}/`, '.well-known/agent-card.json');
  return new ClientFactory({ transports: [new JsonRpcTransportFactory({})] }).createFromAgentCard(card);
}

let count = 0;
const data = (value) => ({ content: { $case: 'data', value }, metadata: undefined, filename: '', mediaType: '' });
const message = (part, more = {}) => ({ tenant: '', metadata: undefined, configuration: undefined,
  message: { messageId: `m${++count}`, contextId: '', taskId: '', role: Role.ROLE_USER, metadata: undefined, extensions: [],
    referenceTaskIds: [], parts: [part], ...more } });
const wish = (tool, args = {}, more = {}) => message(data({ tool, arguments: args }), more);
const send = async (client, request) => (await client.sendMessage(request));
const result = (task) => task.artifacts.at(-1).parts.map((one) => one.content);
const said = (task) => task.status.message?.parts.map((one) => one.content.value).join('\n');

async function until(holds) {
  for (const end = Date.now() + 20000; !(await holds());) {
    assert.ok(Date.now() < end, `not in time: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const agent of agents) {
  const name = (what) => `${agent}: ${what}`;

  test(name('a tool is called, its result comes back whole'), async () => {
    const task = await send(await connect(agent), wish('add', { a: 2, b: 3 }));
    assert.equal(task.status.state, TaskState.TASK_STATE_COMPLETED, said(task));
    assert.deepEqual(result(task), [{ $case: 'text', value: '{"sum":5}' }, { $case: 'data', value: { sum: 5 } }]);
  });

  test(name('every kind of content'), async () => {
    const task = await send(await connect(agent), wish('kinds'));
    const parts = task.artifacts.at(-1).parts;
    assert.deepEqual(parts.map((one) => one.content.$case), ['text', 'raw', 'raw', 'text', 'url']);
    assert.deepEqual(parts.map((one) => one.mediaType), ['', 'image/png', 'audio/wav', 'text/plain', 'text/html']);
    assert.equal(parts[4].content.value, 'https://example.com/x');
    assert.equal(parts[3].metadata.uri, 'memo:///1');
  });

  test(name('a failing tool, arguments that do not fit, no such tool, plain text'), async () => {
    const client = await connect(agent);
    const failed = await send(client, wish('refuse'));
    assert.equal(failed.status.state, TaskState.TASK_STATE_FAILED);
    assert.match(said(failed), /no, because/);
    for (const [request, pattern] of [[wish('add', { a: 'x', b: 1 }), /do not fit the tool add: at "\/a"/],
      [wish('nothing'), /There is no tool "nothing"[^]*- add: Adds\./],
      [message({ content: { $case: 'text', value: 'hi' }, metadata: undefined, filename: '', mediaType: '' }), /understands no plain text[^]*- add: Adds\./]]) {
      const task = await send(client, request);
      assert.equal(task.status.state, TaskState.TASK_STATE_REJECTED);
      assert.match(said(task), pattern);
    }
  });

  test(name('progress arrives in order'), async () => {
    const client = await connect(agent);
    const words = [];
    for await (const event of client.sendMessageStream(wish('steps'))) {
      const update = event.payload;
      if (update.$case === 'statusUpdate') words.push(update.value.status.message?.parts[0].content.value);
    }
    // Steps that come at once are told as the last of them.
    const told = words.filter((one) => /^step/.test(one ?? ''));
    assert.equal(told.at(-1), 'step 3', words.join());
    assert.deepEqual(told, [...told].sort());
  });

  test(name('a question and its answer'), async () => {
    const client = await connect(agent);
    const asked = await send(client, wish('ask'));
    assert.equal(asked.status.state, TaskState.TASK_STATE_INPUT_REQUIRED, said(asked));
    const questions = asked.status.message.parts.find((one) => one.content.$case === 'data').content.value.questions;
    const [key] = Object.keys(questions);
    assert.equal(questions[key].message, 'Who are you?');
    const task = await send(client, message(data({ [key]: { action: 'accept', content: { name: 'Ann' } } }), { taskId: asked.id }));
    assert.equal(task.status.state, TaskState.TASK_STATE_COMPLETED, said(task));
    assert.equal(result(task)[0].value, 'Hello, Ann.');
    const again = await send(client, wish('ask'));
    const [other] = Object.keys(again.status.message.parts.find((one) => one.content.$case === 'data').content.value.questions);
    const declined = await send(client, message(data({ [other]: { action: 'decline' } }), { taskId: again.id }));
    assert.equal(result(declined)[0].value, 'It was: decline');
  });

  test(name('an MCP client calls the published tool'), async () => {
    const client = new Client({ name: 'chains', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: { elicitation: { form: {} } } });
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Bea', loud: true } }));
    await client.connect(new StreamableHTTPClientTransport(new URL(`${bridge.base}/mcp`)));
    const { tools } = await client.listTools();
    const add = tools.find((one) => one.name === `${agent}_add`);
    assert.deepEqual(add.inputSchema.required, ['a', 'b']);
    assert.equal(add.annotations.readOnlyHint, true);
    const sum = await client.callTool({ name: `${agent}_add`, arguments: { a: 4, b: 5 } });
    assert.deepEqual(sum.structuredContent, { sum: 9 });
    const kinds = await client.callTool({ name: `${agent}_kinds`, arguments: {} });
    assert.deepEqual(kinds.content.map((one) => one.type), ['text', 'image', 'audio', 'resource', 'resource_link']);
    const steps = [];
    await client.callTool({ name: `${agent}_steps`, arguments: {} }, { onprogress: ({ progress }) => steps.push(progress) });
    assert.equal(steps.at(-1), 3);
    assert.deepEqual(steps, [...new Set(steps)].sort());
    assert.equal((await client.callTool({ name: `${agent}_ask`, arguments: {} })).content[0].text, 'Hello, Bea!');
    const failed = await client.callTool({ name: `${agent}_refuse`, arguments: {} });
    assert.equal(failed.isError, true);
    assert.match(failed.content[0].text, /no, because/);
    await client.close();
  });

  test(name('log messages and a tool more reach a client with a session'), async () => {
    const logs = [];
    let changes = 0;
    const client = new OldClient({ name: 'chains', version: '1' }, { listChanged: { tools: { onChanged: () => { changes++; } } } });
    await client.connect(new OldTransport(new URL(`${bridge.base}/mcp`)));
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => logs.push(`${params.level} ${params.data}`));
    await client.callTool({ name: `${agent}_steps`, arguments: {} });
    assert.deepEqual(logs, ['warning steps: look out']);
    await send(await connect(agent), wish('grow', { name: 'fresh' }));
    await until(() => changes > 0); // perhaps of another agent, whose server was slow to be found
    await until(async () => (await client.listTools()).tools.some((one) => one.name === `${agent}_fresh`));
    assert.equal((await client.callTool({ name: `${agent}_fresh`, arguments: {} })).content[0].text, 'new');
    await client.close();
  });
}

for (const agent of ['v1', 'v2']) {
  test(`${agent}: a task that is cancelled is cancelled at the server`, async () => {
    const { seen } = servers[agent];
    const client = await connect(agent);
    const running = await send(client, { ...wish('wait'), configuration: { acceptedOutputModes: [], taskPushNotificationConfig: undefined, historyLength: undefined, returnImmediately: true } });
    await until(() => seen.waiting);
    const stopped = await client.cancelTask({ tenant: '', id: running.id, metadata: undefined });
    assert.equal(stopped.status.state, TaskState.TASK_STATE_CANCELED);
    await until(() => seen.cancelled);
  });
}

test('a legacy client is asked on its call', async () => {
  const client = new OldClient({ name: 'chains', version: '1' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Cleo' } }));
  await client.connect(new OldTransport(new URL(`${bridge.base}/mcp`)));
  assert.equal((await client.callTool({ name: 'v2_ask', arguments: {} })).content[0].text, 'Hello, Cleo.');
  await client.close();
});

test('a session that the server forgot is made anew, and the call with it', async () => {
  const { seen } = servers.v1;
  const before = seen.sessions;
  seen.forget();
  const task = await send(await connect('v1'), wish('add', { a: 1, b: 1 }));
  assert.equal(task.status.state, TaskState.TASK_STATE_COMPLETED, said(task));
  assert.equal(seen.sessions, before + 1);
});

test('a task of the server is followed, also across a restart of the bridge', async () => {
  const client = await connect('v1');
  const quick = await send(client, wish('long', { ms: 50 }));
  assert.equal(quick.status.state, TaskState.TASK_STATE_COMPLETED, said(quick));
  assert.equal(result(quick)[0].value, 'it took long');
  const running = await send(client, { ...wish('long', { ms: 1500 }), configuration: { acceptedOutputModes: [], taskPushNotificationConfig: undefined, historyLength: undefined, returnImmediately: true } });
  const query = { tenant: '', id: running.id, historyLength: undefined, metadata: undefined };
  await new Promise((resolve) => setTimeout(resolve, 400));
  await bridge.stop('SIGKILL');
  await bridge.go();
  let task;
  await until(async () => { task = await client.getTask(query); return task.status.state >= TaskState.TASK_STATE_COMPLETED; });
  assert.equal(task.status.state, TaskState.TASK_STATE_COMPLETED, said(task));
  assert.equal(result(task)[0].value, 'it took long');
});

test('a program that dies in a call is started again', async () => {
  const client = await connect('pipe1');
  const task = await send(client, wish('die'));
  assert.equal(task.status.state, TaskState.TASK_STATE_FAILED);
  assert.match(said(task), /program ended with exit code 3/);
  const next = await send(client, wish('add', { a: 1, b: 2 }));
  assert.equal(next.status.state, TaskState.TASK_STATE_COMPLETED, said(next));
});

test('a server that is down hinders nothing, and is found when it is back', async () => {
  const { port } = servers.v2;
  await servers.v2.stop();
  await bridge.stop();
  await bridge.go();
  const client = await connect('v1');
  const fine = await send(client, wish('add', { a: 1, b: 2 }));
  assert.equal(fine.status.state, TaskState.TASK_STATE_COMPLETED, said(fine));
  const lost = await send(await connect('v2'), wish('add', { a: 1, b: 2 }));
  assert.equal(lost.status.state, TaskState.TASK_STATE_FAILED);
  assert.match(said(lost), /connect/i);
  servers.v2 = await serveV2(port);
  const found = await send(await connect('v2'), wish('add', { a: 1, b: 2 }));
  assert.equal(found.status.state, TaskState.TASK_STATE_COMPLETED, said(found));
});
