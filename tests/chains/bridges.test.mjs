// A2A client -> bridge -> bridge -> command agent: all that the agent says reaches the client as if nobody stood between,
// in each version and binding between the bridges; and a bridge that is killed takes its tasks up again.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Bridge, call, message, said, send, stream, until, words } from './house.mjs';

const here = (file) => path.join(import.meta.dirname, file);
const ways = [['1.0', 'JSONRPC'], ['1.0', 'HTTP+JSON'], ['0.3', 'JSONRPC'], ['0.3', 'HTTP+JSON']];
const idOf = (version, binding) => `near-${version}-${binding === 'JSONRPC' ? 'rpc' : 'rest'}`;
let far;
let near;
before(async () => {
  const program = (file) => ({ kind: 'command', command: [here(file)], output: 'events', env: ['PATH'] });
  far = await Bridge.start({ worker: program('../golden/agent.py'), gate: program('gate.py') });
  const keys = (await (await fetch(`${far.base}/.well-known/jwks.json`)).json()).keys;
  const agents = Object.fromEntries(ways.map(([version, binding]) =>
    [idOf(version, binding), { kind: 'a2a', card: far.card('worker'), version, binding, signed_by: keys }]));
  const other = { kty: 'EC', crv: 'P-256', x: keys[0].y, y: keys[0].x };
  agents.gate = { kind: 'a2a', card: far.card('gate') };
  agents.forged = { kind: 'a2a', card: far.card('worker'), signed_by: [other] };
  near = await Bridge.start(agents);
});
after(async () => { await near?.remove(); await far?.remove(); });

test('a card that is not signed by whom the operator trusts is not used', async () => {
  const task = await send(near, 'forged', 'echo');
  assert.equal(task.status.state, 'TASK_STATE_FAILED');
  assert.match(said(task), /none of the card's signatures is by one of the configured keys/);
});

for (const [version, binding] of ways) {
  const id = idOf(version, binding);
  const name = (text) => `${version} ${binding}: ${text}`;
  const lossy = version === '0.3' && binding === 'HTTP+JSON';

  test(name('the message arrives as it was sent'), async () => {
    const parts = [{ text: 'mirror' }, { data: { n: 1 }, ...(lossy ? {} : { metadata: { p: 1 } }) }, { raw: 'AAEC', mediaType: 'image/png', ...(lossy ? {} : { filename: 'a.png' }) }];
    const task = (await call(near, id, 'SendMessage', { message: message('', { parts, metadata: { m: [1] } }) })).task;
    assert.equal(task.status.state, 'TASK_STATE_COMPLETED', said(task));
    const result = task.artifacts[0].parts;
    assert.deepEqual(result.slice(0, 3), parts);
    assert.deepEqual(result[3].data.metadata, { m: [1] });
    assert.equal(result[3].data.id, `${task.id}-1`);
  });

  test(name('progress and result'), async () => {
    const steps = [];
    let last;
    for await (const { statusUpdate, artifactUpdate } of stream(near, id, 'SendStreamingMessage', { message: message('progress') })) {
      if (statusUpdate?.metadata?.progress) steps.push(statusUpdate.metadata.progress);
      if (artifactUpdate) last = words(artifactUpdate.artifact.parts);
    }
    // Steps that come faster than they are stored are told as one.
    assert.deepEqual(steps.at(-1), { value: 3, total: 3, message: 'step 3' });
    assert.ok(steps.every((one, at) => at === 0 || one.value > steps[at - 1].value));
    assert.equal(last, 'done');
  });

  test(name('an answer in pieces, artifacts, data'), async () => {
    assert.equal(words((await send(near, id, 'chunks')).artifacts[0].parts), 'one two');
    const task = await send(near, id, 'files');
    const [files, result] = task.artifacts;
    assert.deepEqual(files.parts.map((one) => Object.keys(one)[0]), ['raw', 'url', 'data']);
    assert.equal(files.name, 'files');
    assert.equal(words(result.parts), 'three');
    const data = await send(near, id, 'data');
    assert.deepEqual(data.artifacts[0].parts, [{ text: 'three' }, { data: { count: 3 } }]);
  });

  test(name('questions with their keys and schemas, twice, and the answers'), async () => {
    const asked = await send(near, id, 'form');
    assert.equal(asked.status.state, 'TASK_STATE_INPUT_REQUIRED');
    const { questions } = asked.status.message.parts.find((one) => one.data).data;
    assert.deepEqual(Object.keys(questions), ['name', 'go']);
    assert.deepEqual(questions.name.schema.properties.who, { type: 'string', minLength: 2 });
    await assert.rejects(send(near, id, '', { taskId: asked.id, parts: [{ data: { name: { action: 'accept', content: { who: 'x' } }, go: { action: 'accept' } } }] }), /who/);
    const answers = { name: { action: 'accept', content: { who: 'Ann' } }, go: { action: 'decline' } };
    const again = await send(near, id, '', { taskId: asked.id, parts: [{ data: answers }] });
    assert.equal(again.status.state, 'TASK_STATE_INPUT_REQUIRED');
    const second = again.status.message.parts.find((one) => one.data).data.questions;
    const replies = Object.fromEntries(Object.entries(second).map(([key, one]) => [key, one.kind === 'form' ? { action: 'accept', content: { who: 'Bob', size: 's' } } : { action: 'accept' }]));
    const task = await send(near, id, '', { taskId: asked.id, parts: [{ data: replies }] });
    assert.equal(task.status.state, 'TASK_STATE_COMPLETED', said(task));
    assert.deepEqual(JSON.parse(words(task.artifacts[0].parts)), [
      { go: { action: 'decline' }, name: { action: 'accept', content: { size: 'm', who: 'Ann' } } },
      { go: { action: 'accept' }, name: { action: 'accept', content: { size: 's', who: 'Bob' } } }]);
  });

  test(name('an answer in words'), async () => {
    const asked = await send(near, id, 'name');
    const task = await send(near, id, 'Eve', { taskId: asked.id });
    assert.equal(words(task.artifacts[0].parts), 'Eve');
  });

  test(name('a sign-in'), async () => {
    const asked = await send(near, id, 'auth');
    assert.equal(asked.status.state, 'TASK_STATE_AUTH_REQUIRED');
    assert.equal(asked.status.message.parts.find((one) => one.data).data.questions.door.url, 'https://example.com/sign-in');
    const task = await send(near, id, 'yes', { taskId: asked.id });
    assert.equal(words(task.artifacts[0].parts), 'in');
  });

  test(name('ends'), async () => {
    for (const [text, state] of [['no', 'FAILED'], ['reject', 'REJECTED'], ['protocol', 'FAILED']]) {
      const task = await send(near, id, text);
      assert.equal(task.status.state, `TASK_STATE_${state}`);
    }
  });

  test(name('cancelling reaches the program'), async () => {
    const task = await send(near, id, 'wait', {}, { returnImmediately: true });
    await until(near, id, task.id, (one) => said(one) === 'waiting');
    const [there] = (await call(far, 'worker', 'ListTasks', { pageSize: 1 })).tasks;
    await call(near, id, 'CancelTask', { id: task.id });
    await until(far, 'worker', there.id, (one) => one.status.state === 'TASK_STATE_CANCELED');
  });
}

// A task that has got half-way.
async function atTheGate() {
  const gate = path.join(near.folder, `gate-${Math.random()}`);
  execFileSync('mkfifo', [gate]);
  const task = await send(near, 'gate', gate, {}, { returnImmediately: true });
  await until(near, 'gate', task.id, (one) => said(one) === 'at the gate');
  return { gate, id: task.id };
}

for (const signal of ['SIGKILL', 'SIGTERM'])
  test(`the bridge in the middle goes with ${signal} and comes back`, async () => {
    const { gate, id } = await atTheGate();
    await near.stop(signal);
    await near.go();
    await until(near, 'gate', id, (one) => one.status.state === 'TASK_STATE_WORKING');
    await writeFile(gate, 'after');
    const task = await until(near, 'gate', id, (one) => one.status.state === 'TASK_STATE_COMPLETED');
    assert.deepEqual(task.artifacts.map((one) => [one.name, words(one.parts)]), [['Draft', 'half'], ['result', 'before after']]);
  });

test('it finishes while the bridge in the middle is away', async () => {
  const { gate, id } = await atTheGate();
  await near.stop('SIGKILL');
  await writeFile(gate, 'after');
  const [there] = (await call(far, 'gate', 'ListTasks', { pageSize: 1 })).tasks;
  await until(far, 'gate', there.id, (one) => one.status.state === 'TASK_STATE_COMPLETED');
  await near.go();
  const task = await until(near, 'gate', id, (one) => one.status.state === 'TASK_STATE_COMPLETED');
  assert.equal(words(task.artifacts.at(-1).parts), 'before after');
});

test('a question outlives the bridge in the middle', async () => {
  const asked = await send(near, 'near-1.0-rpc', 'ask');
  await near.stop('SIGKILL');
  await near.go();
  const task = await send(near, 'near-1.0-rpc', 'yes', { taskId: asked.id });
  assert.equal(words(task.artifacts[0].parts), 'accept');
});

test('the bridge at the far end is killed: its program is gone, and that is told', async () => {
  const { id } = await atTheGate();
  await far.stop('SIGKILL');
  await far.go();
  const task = await until(near, 'gate', id, (one) => one.status.state === 'TASK_STATE_FAILED');
  assert.match(said(task), /restarted|interrupted/);
});
