// The official A2A SDK at both ends, the bridge between them: who speaks 0.3 reaches an agent of 1.0, and the other way.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory, RestTransportFactory } from '@a2a-js/sdk/client';
import { Role, TaskState } from '@a2a-js/sdk';
import { Bridge, eventually } from './house.mjs';
import { serveAgent } from './sdk_agent.mjs';

let agent;
let bridge;
before(async () => {
  agent = await serveAgent();
  bridge = await Bridge.start({ new: { kind: 'a2a', card: agent.card, version: '1.0' }, old: { kind: 'a2a', card: agent.card, version: '0.3' } });
});
after(async () => { await bridge?.remove(); await agent?.close(); });

async function connect(id, version, protocolBinding) {
  const legacyCompat = { enabled: true };
  const card = await new DefaultAgentCardResolver().resolve(`${bridge.base}/a2a/${id}/`, '.well-known/agent-card.json');
  const supportedInterfaces = card.supportedInterfaces.filter((one) => one.protocolVersion === version && one.protocolBinding === protocolBinding);
  assert.equal(supportedInterfaces.length, 1);
  return new ClientFactory({ transports: [new JsonRpcTransportFactory({ legacyCompat }), new RestTransportFactory({ legacyCompat })] })
    .createFromAgentCard({ ...card, supportedInterfaces });
}

let count = 0;
const part = (kind, value, more = {}) => ({ content: { $case: kind, value }, metadata: undefined, filename: '', mediaType: '', ...more });
const message = (parts, more = {}) => ({
  tenant: '', metadata: undefined, configuration: { acceptedOutputModes: [], taskPushNotificationConfig: undefined, historyLength: undefined, returnImmediately: false },
  message: { messageId: `s${++count}`, contextId: '', taskId: '', role: Role.ROLE_USER, metadata: undefined, extensions: [],
    referenceTaskIds: [], parts: typeof parts === 'string' ? [part('text', parts)] : parts, ...more },
});
const texts = (parts) => parts.filter((one) => one.content.$case === 'text').map((one) => one.content.value).join('');
const query = (id) => ({ tenant: '', id, historyLength: undefined, metadata: undefined });

for (const [id, version, binding] of [['new', '0.3', 'JSONRPC'], ['new', '0.3', 'HTTP+JSON'], ['old', '1.0', 'JSONRPC'], ['old', '1.0', 'HTTP+JSON']]) {
  const name = (text) => `${version} ${binding} -> ${id === 'new' ? '1.0' : '0.3'}: ${text}`;

  test(name('parts of all kinds, there and back'), async () => {
    const client = await connect(id, version, binding);
    const task = await client.sendMessage(message([part('text', 'echo'), part('raw', Buffer.from([0, 1, 2]), { mediaType: 'image/png' }), part('data', { n: 1 })]));
    assert.equal(task.status.state, TaskState.TASK_STATE_COMPLETED);
    assert.deepEqual(task.artifacts[0].parts.map((one) => one.content.$case), ['text', 'raw', 'data']);
    assert.deepEqual([...task.artifacts[0].parts[1].content.value], [0, 1, 2]);
    assert.deepEqual(task.artifacts[0].parts[2].content.value, { n: 1 });
  });

  test(name('a stream: progress, pieces, the end'), async () => {
    const client = await connect(id, version, binding);
    const events = [];
    for await (const event of client.sendMessageStream(message('pieces'))) events.push(event.payload);
    assert.equal(events[0].$case, 'task');
    const updates = events.filter((one) => one.$case === 'artifactUpdate').map((one) => one.value);
    assert.equal(updates.filter((one) => one.artifact.artifactId === 'poem').map((one) => texts(one.artifact.parts)).join(''), 'roses are red');
    assert.equal(events.at(-1).value.status.state, TaskState.TASK_STATE_COMPLETED);
  });

  test(name('a question and its answer'), async () => {
    const client = await connect(id, version, binding);
    const asked = await client.sendMessage(message('ask'));
    assert.equal(asked.status.state, TaskState.TASK_STATE_INPUT_REQUIRED);
    const task = await client.sendMessage(message('Rome', { taskId: asked.id, contextId: asked.contextId }));
    assert.equal(texts(task.artifacts[0].parts), 'to Rome');
  });

  test(name('cancelling'), async () => {
    const client = await connect(id, version, binding);
    const request = message('wait');
    request.configuration.returnImmediately = true;
    const task = await client.sendMessage(request);
    const before = agent.executor.cancels.length;
    await eventually(async () => texts((await client.getTask(query(task.id))).status.message?.parts ?? []) === 'waiting');
    assert.equal((await client.cancelTask(query(task.id))).status.state, TaskState.TASK_STATE_CANCELED);
    await eventually(() => agent.executor.cancels.length > before);
  });
}
