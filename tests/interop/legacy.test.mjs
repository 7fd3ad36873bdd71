// SDK 1.x: the versions with sessions. Each version runs the same tests.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateTaskResultSchema, ElicitRequestSchema, LoggingMessageNotificationSchema, TaskStatusNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { Bridge } from './bridge.mjs';

let bridge;
before(async () => { bridge = await Bridge.start(); });
after(async () => { await bridge.remove(); });

// The SDK always asks for its newest version: an older one is put in its place on the way out.
function asking(version) {
  return (url, init) => {
    if (typeof init?.body === 'string' && init.body.includes('"initialize"')) {
      const message = JSON.parse(init.body);
      message.params.protocolVersion = version;
      init = { ...init, body: JSON.stringify(message) };
    }
    return fetch(url, init);
  };
}

async function connect(version, capabilities = {}) {
  const client = new Client({ name: 'interop', version: '1' }, { capabilities });
  const transport = new StreamableHTTPClientTransport(bridge.url, { fetch: asking(version) });
  await client.connect(transport);
  assert.equal(transport.protocolVersion, version);
  return { client, transport };
}

const call = (client, text, more = {}, options = undefined) =>
  client.callTool({ name: 'invoke', arguments: { agent: 'worker', text, ...more } }, undefined, options);

for (const version of ['2025-03-26', '2025-06-18', '2025-11-25']) {
  const structured = version !== '2025-03-26';

  test(`${version}: list, call, log, progress`, async () => {
    const { client } = await connect(version);
    const { tools } = await client.listTools();
    assert.deepEqual(tools.slice(0, 6).map((tool) => tool.name),
      ['invoke', 'get-task', 'list-agents', 'list-tasks', 'reply-task', 'stop-task']);
    assert.ok(tools.some((tool) => tool.name === 'work'));

    const echo = await call(client, 'echo');
    assert.equal(echo.content[0].text, 'echo');
    assert.equal(echo.structuredContent?.status, structured ? 'completed' : undefined);

    const logs = [];
    client.setNotificationHandler(LoggingMessageNotificationSchema, (message) => { logs.push(message.params); });
    await client.setLoggingLevel('warning');
    await call(client, 'log');
    assert.deepEqual(logs.map((log) => log.data), ['careful']);

    const steps = [];
    await call(client, 'progress', {}, { onprogress: (progress) => steps.push(progress.progress) });
    assert.ok(steps.length > 0 && steps.at(-1) === 3 && steps.every((step, i) => i === 0 || step > steps[i - 1]), `${steps}`);
    await client.close();
  });

  test(`${version}: a task by handle, polled, stopped`, async () => {
    const { client } = await connect(version);
    const started = await call(client, 'wait', { wait_s: 0 });
    const id = /Task ([0-9a-f]{32})/.exec(started.content[0].text)[1];
    const running = await client.callTool({ name: 'get-task', arguments: { task_id: id, wait_s: 0.2 } });
    assert.match(running.content[0].text, /is executing/);
    const stopped = await client.callTool({ name: 'stop-task', arguments: { task_id: id } });
    assert.match(stopped.content[0].text, /is stopped/);
    await client.close();
  });

  test(`${version}: cancelling a call stops its task`, async () => {
    const { client } = await connect(version);
    const abort = new AbortController();
    const open = call(client, 'wait', {}, { signal: abort.signal, onprogress: () => abort.abort('enough') });
    await assert.rejects(open);
    await until(async () => {
      const { content } = await client.callTool({ name: 'list-tasks', arguments: { limit: 1 } });
      return JSON.parse(content[0].text).tasks[0].status === 'stopped';
    });
    await client.close();
  });

  test(`${version}: errors a person can use; the end of a session`, async () => {
    const { client, transport } = await connect(version);
    const unknown = await client.callTool({ name: 'invoke', arguments: { agent: 'nobody', text: 'x' } });
    assert.ok(unknown.isError);
    assert.match(unknown.content[0].text, /worker.*other/);
    await assert.rejects(client.callTool({ name: 'no-such-tool', arguments: {} }), /no tool/);
    const session = transport.sessionId;
    await transport.terminateSession();
    const late = await fetch(bridge.url, { method: 'POST', body: '{"jsonrpc":"2.0","id":1,"method":"ping"}', headers: {
      'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-session-id': session } });
    assert.equal(late.status, 404);
    await client.close();
  });
}

for (const version of ['2025-06-18', '2025-11-25']) {
  test(`${version}: an agent's question is put on the open call`, async () => {
    const { client } = await connect(version, { elicitation: {} });
    const questions = [];
    client.setRequestHandler(ElicitRequestSchema, (request) => {
      questions.push(request.params.message);
      return { action: 'accept', content: {} };
    });
    const done = await call(client, 'ask');
    assert.equal(done.content[0].text, 'accept');
    assert.deepEqual(questions, ['Go on?\nThere is no way back.']);
    await client.close();
  });

  test(`${version}: answered elsewhere first, the open question is withdrawn`, async () => {
    const { client } = await connect(version, { elicitation: {} });
    const other = (await connect(version)).client;
    let withdrawn;
    const asked = new Promise((resolve) => {
      client.setRequestHandler(ElicitRequestSchema, async (request, { signal }) => {
        resolve();
        await new Promise((done) => signal.addEventListener('abort', done));
        withdrawn = true;
        return { action: 'cancel' };
      });
    });
    const open = call(client, 'ask');
    await asked;
    const { content } = await other.callTool({ name: 'list-tasks', arguments: { limit: 1 } });
    const id = JSON.parse(content[0].text).tasks[0].task_id;
    await other.callTool({ name: 'reply-task', arguments: { task_id: id, approve: false } });
    assert.equal((await open).content[0].text, 'decline');
    await until(() => withdrawn);
    await client.close();
    await other.close();
  });
}

test('2025-11-25 tasks: made, followed, asked, listed, cancelled', async () => {
  const { client } = await connect('2025-11-25', { elicitation: {} });
  client.setRequestHandler(ElicitRequestSchema, (request) => {
    assert.match(request.params._meta['io.modelcontextprotocol/related-task'].taskId, /^[0-9a-f]{32}$/);
    return { action: 'accept', content: {} };
  });
  const { tools } = await client.listTools();
  const support = Object.fromEntries(tools.map((tool) => [tool.name, tool.execution.taskSupport]));
  assert.deepEqual([support.invoke, support['get-task'], support.work], ['optional', 'forbidden', 'optional']);

  const seen = [];
  const stream = client.experimental.tasks.callToolStream(
    { name: 'invoke', arguments: { agent: 'worker', text: 'ask' } }, undefined, { task: { ttl: 60000 } });
  for await (const message of stream) {
    seen.push(message.type === 'taskStatus' ? message.task.status : message.type);
    if (message.type === 'error') throw message.error;
    if (message.type === 'result') assert.equal(message.result.content[0].text, 'accept');
  }
  assert.equal(seen[0], 'taskCreated');
  assert.equal(seen.at(-1), 'result');

  const made = await client.request(
    { method: 'tools/call', params: { name: 'work', arguments: { what: 'wait' }, task: {} } }, CreateTaskResultSchema);
  assert.equal(made.task.status, 'working');
  const listed = await client.experimental.tasks.listTasks();
  assert.equal(listed.tasks[0].taskId, made.task.taskId);
  const cancelled = await client.experimental.tasks.cancelTask(made.task.taskId);
  assert.equal(cancelled.status, 'cancelled');
  await assert.rejects(client.experimental.tasks.cancelTask(made.task.taskId), /ended already/);
  await assert.rejects(client.experimental.tasks.getTask('nothing'), /no task/);
  await client.close();
});

test('2025-11-25 tasks: states on the GET stream', async () => {
  const { client } = await connect('2025-11-25');
  const states = [];
  client.setNotificationHandler(TaskStatusNotificationSchema, (message) => { states.push(message.params.status); });
  const made = await client.request(
    { method: 'tools/call', params: { name: 'work', arguments: { what: 'wait' }, task: {} } }, CreateTaskResultSchema);
  await client.experimental.tasks.cancelTask(made.task.taskId);
  await until(() => states.includes('cancelled'));
  await client.close();
});

test('a client that cannot be asked is told how to answer', async () => {
  const { client } = await connect('2025-11-25');
  const paused = await call(client, 'ask');
  assert.equal(paused.structuredContent.status, 'paused');
  assert.match(paused.content[0].text, /Go on|no way back/);
  assert.match(paused.content[0].text, /reply-task/);
  await client.close();
});

// A condition that some other party brings about: asked for until it holds, bounded by the test's own timeout.
async function until(holds) {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
