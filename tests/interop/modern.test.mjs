// SDK 2.x for 2026-07-28; the Tasks extension, which it does not speak, by hand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { answer, Bridge, messages, modern } from './bridge.mjs';

let bridge;
before(async () => { bridge = await Bridge.start(); });
after(async () => { await bridge.remove(); });

async function connect() {
  const client = new Client({ name: 'interop', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new StreamableHTTPClientTransport(bridge.url));
  assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28');
  return client;
}

const call = (client, text, more = {}, options = undefined) =>
  client.callTool({ name: 'invoke', arguments: { agent: 'worker', text, ...more } }, options);
const tool = async (name, args, options) =>
  (await answer(await modern(bridge.url, 'tools/call', { name, arguments: args }, { name, ...options }))).result;

async function until(holds) {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('discover, list, call, published tool', async () => {
  const client = await connect();
  const { tools } = await client.listTools();
  assert.equal(tools[0].name, 'invoke');
  assert.equal((await call(client, 'echo')).structuredContent.status, 'completed');
  const work = await client.callTool({ name: 'work', arguments: { what: 'artifact' } });
  assert.deepEqual(work.content.map((block) => block.text), ['written', '# Notes']);
  const agents = await client.callTool({ name: 'list-agents', arguments: {} });
  assert.deepEqual(agents.structuredContent.agents.map((agent) => agent.id), ['worker', 'other']);
  await client.close();
});

test('negotiation finds the era by itself', async () => {
  const client = new Client({ name: 'interop', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(bridge.url));
  assert.equal(client.getNegotiatedProtocolVersion(), '2026-07-28');
  await client.close();
});

test('progress', async () => {
  const client = await connect();
  const steps = [];
  await call(client, 'progress', {}, { onprogress: (progress) => steps.push(progress.progress) });
  assert.equal(steps.at(-1), 3);
  await client.close();
});

test('a held call, polled by get-task, then stopped', async () => {
  const client = await connect();
  const held = await call(client, 'wait', { wait_s: 0.4 });
  assert.equal(held.structuredContent.status, 'executing');
  const id = held.structuredContent.task_id;
  const polled = await client.callTool({ name: 'get-task', arguments: { task_id: id, wait_s: 0 } });
  assert.equal(polled.structuredContent.retry_after_s, 1);
  const stopped = await client.callTool({ name: 'stop-task', arguments: { task_id: id } });
  assert.equal(stopped.structuredContent.status, 'stopped');
  const listed = await client.callTool({ name: 'list-tasks', arguments: { status: ['stopped'] } });
  assert.ok(listed.structuredContent.tasks.some((task) => task.task_id === id));
  await client.close();
});

test('aborting a call of an agent with on_disconnect "cancel" stops its task', async () => {
  const client = await connect();
  const abort = new AbortController();
  const open = client.callTool({ name: 'work', arguments: { what: 'wait' } },
    { signal: abort.signal, onprogress: () => abort.abort('enough') });
  await assert.rejects(open);
  await until(async () => {
    const { structuredContent } = await client.callTool({ name: 'list-tasks', arguments: { limit: 1 } });
    return structuredContent.tasks[0].status === 'stopped';
  });
  await client.close();
});

test("an agent's question: input_required, answered and retried by the SDK itself", async () => {
  const client = new Client({ name: 'interop', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: { elicitation: { form: {} } } });
  client.setRequestHandler('elicitation/create', () => ({ action: 'decline' }));
  await client.connect(new StreamableHTTPClientTransport(bridge.url));
  assert.equal((await call(client, 'ask')).content[0].text, 'decline');
  await client.close();
});

test('a question that came after the call was answered goes out on the next get-task', async () => {
  const client = new Client({ name: 'interop', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: { elicitation: { form: {} } } });
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }));
  await client.connect(new StreamableHTTPClientTransport(bridge.url));
  const handle = await call(client, 'ask', { wait_s: 0 });
  const done = await client.callTool({ name: 'get-task', arguments: { task_id: handle.structuredContent.task_id } });
  assert.equal(done.structuredContent.result, 'accept');
  await client.close();
});

test('the Tasks extension: handle, polling, result', async () => {
  const handle = await tool('invoke', { agent: 'worker', text: 'ask' });
  assert.equal(handle.resultType, 'task');
  const get = async () => (await answer(await modern(bridge.url, 'tasks/get', { taskId: handle.taskId }, { name: handle.taskId }))).result;
  await until(async () => (await get()).status === 'input_required');
  await modern(bridge.url, 'tasks/update', { taskId: handle.taskId, inputResponses: { go: { action: 'accept', content: {} } } },
    { name: handle.taskId });
  await until(async () => (await get()).status === 'completed');
  assert.equal((await get()).result.content[0].text, 'accept');
});

test('task notifications: every state on one listen stream, then the end', async () => {
  const first = await tool('invoke', { agent: 'worker', text: 'wait', wait_s: 0 });
  const second = await tool('invoke', { agent: 'worker', text: 'ask', wait_s: 0 });
  const abort = new AbortController();
  const stream = messages(await modern(bridge.url, 'subscriptions/listen',
    { notifications: { taskIds: [first.taskId, second.taskId, 'nothing'] } }, { signal: abort.signal }));
  const acknowledged = (await stream.next()).value;
  assert.equal(acknowledged.method, 'notifications/subscriptions/acknowledged');
  assert.deepEqual(acknowledged.params.notifications.taskIds, [first.taskId, second.taskId]);
  assert.equal(acknowledged.params._meta['io.modelcontextprotocol/subscriptionId'], 1);

  await modern(bridge.url, 'tasks/cancel', { taskId: first.taskId }, { name: first.taskId });
  const last = {};
  for await (const message of stream) {
    assert.equal(message.method, 'notifications/tasks');
    last[message.params.taskId] = message.params.status;
    if (message.params.taskId === second.taskId && message.params.status === 'input_required')
      await modern(bridge.url, 'tasks/cancel', { taskId: second.taskId }, { name: second.taskId });
    if (last[first.taskId] === 'cancelled' && last[second.taskId] === 'cancelled') break;
  }
  abort.abort();
});

test('a restart in the middle: finished tasks are found again, running ones are accounted for', async () => {
  const done = await tool('invoke', { agent: 'worker', text: 'data', wait_s: 20 }, { tasks: false });
  const running = await tool('invoke', { agent: 'worker', text: 'wait', wait_s: 0 });
  await bridge.stop('SIGKILL');
  bridge = await Bridge.start(bridge.data);
  const again = await tool('get-task', { task_id: done.structuredContent.task_id });
  assert.deepEqual(again.structuredContent.data, { count: 3 });
  const lost = await tool('get-task', { task_id: running.taskId });
  assert.equal(lost.structuredContent.status, 'error');
  assert.equal(lost.structuredContent.reason, 'interrupted');
});
