// Two assistants, one task: a VS Code-like client (2025-11-25, with tasks of its core) and a Claude Code-like one
// (2026-07-28, with the Tasks extension). Whoever made it, both see the same states, question, answer and result.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema, CreateTaskResultSchema, ElicitRequestSchema, TaskStatusNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { answer, Bridge, messages, modern } from './bridge.mjs';

let bridge;
before(async () => { bridge = await Bridge.start(); });
after(async () => { await bridge.remove(); });

// What VS Code does: it makes a task of a call, follows its states, and fetches the result, on which it is asked.
async function editor(onQuestion) {
  const client = new Client({ name: 'Visual Studio Code', version: '1' },
    { capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: {}, tasks: { list: {}, cancel: {} } } });
  const states = [];
  client.setNotificationHandler(TaskStatusNotificationSchema, ({ params }) => { states.push([params.taskId, params.status]); });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => onQuestion(params));
  await client.connect(new StreamableHTTPClientTransport(bridge.url));
  const result = (taskId) => client.request({ method: 'tasks/result', params: { taskId } }, CallToolResultSchema);
  return { client, states, result };
}

// What Claude Code does: it gets a handle, listens, and answers by tasks/update.
const terminal = {
  call: async (text) => (await answer(await modern(bridge.url, 'tools/call',
    { name: 'invoke', arguments: { agent: 'worker', text } }, { name: 'invoke', asks: true }))).result,
  get: async (taskId) => (await answer(await modern(bridge.url, 'tasks/get', { taskId }, { name: taskId, asks: true }))).result,
  update: async (taskId, inputResponses) =>
    (await answer(await modern(bridge.url, 'tasks/update', { taskId, inputResponses }, { name: taskId, asks: true }))).result,
  async* listen(taskId) {
    const abort = new AbortController();
    const stream = messages(await modern(bridge.url, 'subscriptions/listen', { notifications: { taskIds: [taskId] } },
      { signal: abort.signal, asks: true }));
    try {
      for await (const message of stream)
        if (message.method === 'notifications/tasks') yield message.params;
    } finally {
      abort.abort();
    }
  },
};

async function until(holds) {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('made in the editor, answered in the terminal, its result in both', async () => {
  let asked;
  const { client, states, result } = await editor((params) => {
    asked = params;
    return new Promise(() => {}); // the person is elsewhere
  });
  const { task } = await client.request(
    { method: 'tools/call', params: { name: 'invoke', arguments: { agent: 'worker', text: 'name' }, task: { ttl: 60000 } } },
    CreateTaskResultSchema);
  const fetched = result(task.taskId);
  const seen = [];
  for await (const told of terminal.listen(task.taskId)) {
    if (seen.at(-1) !== told.status) seen.push(told.status);
    if (told.status === 'input_required') {
      assert.equal((await client.experimental.tasks.getTask(task.taskId)).status, 'input_required');
      assert.equal(told.inputRequests.name.params.message, 'For whom?');
      await until(() => asked);
      assert.equal(asked.message, 'For whom?');
      assert.deepEqual(asked.requestedSchema, told.inputRequests.name.params.requestedSchema);
      await terminal.update(task.taskId, { name: { action: 'accept', content: { who: 'ann' } } });
    }
    if (told.status === 'completed') {
      assert.deepEqual((await fetched).content, told.result.content);
      break;
    }
  }
  assert.deepEqual([seen.includes('input_required'), seen.at(-1)], [true, 'completed']);
  assert.equal((await fetched).content[0].text, 'ann');
  await until(() => states.some(([id, status]) => id === task.taskId && status === 'completed'));
  await client.close();
});

test('made in the terminal, found, answered and fetched in the editor', async () => {
  const handle = await terminal.call('name');
  assert.equal(handle.resultType, 'task');
  const { client, result } = await editor(() => ({ action: 'accept', content: { who: 'bob' } }));
  const { tasks } = await client.experimental.tasks.listTasks();
  assert.ok(tasks.some((one) => one.taskId === handle.taskId));
  const fetched = await result(handle.taskId);
  assert.equal(fetched.content[0].text, 'bob');
  assert.equal(fetched._meta['io.modelcontextprotocol/related-task'].taskId, handle.taskId);
  const task = await terminal.get(handle.taskId);
  const core = await client.experimental.tasks.getTask(handle.taskId);
  assert.deepEqual(task.result.content, fetched.content);
  assert.deepEqual([core.status, core.createdAt, core.lastUpdatedAt, core.ttl],
    [task.status, task.createdAt, task.lastUpdatedAt, task.ttlMs]);
  await client.close();
});

test('the agent says no: failed in the one dialect, completed with an error in the other', async () => {
  const { client, result } = await editor(() => ({ action: 'cancel' }));
  const { task } = await client.request(
    { method: 'tools/call', params: { name: 'invoke', arguments: { agent: 'worker', text: 'no' }, task: {} } }, CreateTaskResultSchema);
  const fetched = await result(task.taskId);
  assert.ok(fetched.isError);
  assert.equal((await client.experimental.tasks.getTask(task.taskId)).status, 'failed');
  const seen = await terminal.get(task.taskId);
  assert.deepEqual([seen.status, seen.result.isError, seen.result.content], ['completed', true, fetched.content]);
  await client.close();
});
