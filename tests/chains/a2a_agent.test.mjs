// The official A2A SDK as the server, the bridge as its client: both versions over both bindings.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Bridge, call, eventually, message, said, send, stream, until, words } from './house.mjs';
import { serveAgent } from './sdk_agent.mjs';

const ways = [['1.0', 'JSONRPC'], ['1.0', 'HTTP+JSON'], ['0.3', 'JSONRPC'], ['0.3', 'HTTP+JSON']];
const idOf = (version, binding) => `far-${version}-${binding === 'JSONRPC' ? 'rpc' : 'rest'}`;
let agent;
let bridge;
before(async () => {
  agent = await serveAgent();
  const agents = Object.fromEntries(ways.map(([version, binding]) => [idOf(version, binding), { kind: 'a2a', card: agent.card, version, binding }]));
  agents.best = { kind: 'a2a', card: agent.card, publish: 'skills' };
  bridge = await Bridge.start(agents);
});
after(async () => { await bridge?.remove(); await agent?.close(); });

test('the card here says what the card there says', async () => {
  await send(bridge, 'best', 'other'); // the card has come
  const card = await (await fetch(bridge.card('best'), { headers: { 'a2a-version': '1.0' } })).json();
  assert.deepEqual([card.name, card.description, card.version], ['SDK agent', 'Does what its text says.', '7']);
  assert.deepEqual(card.skills.map((one) => [one.id, one.name, one.tags]), [['echo', 'Echo', ['test']], ['ask me', 'Ask', ['test']]]);
  assert.ok(card.supportedInterfaces.every((one) => one.url === `${bridge.base}/a2a/best`));
});

test('an agent that lets the bridge in tells it more of itself', async () => {
  process.env.FRIEND_KEY = 'sesame';
  const friend = await serveAgent({ key: 'sesame' });
  const agents = Object.fromEntries(ways.map(([version, binding]) =>
    [idOf(version, binding), { kind: 'a2a', card: friend.card, version, binding, api_key: { env: 'FRIEND_KEY' } }]));
  const house = await Bridge.start({ ...agents, stranger: { kind: 'a2a', card: friend.card } });
  const told = async (id) => (await fetch(house.card(id), { headers: { 'a2a-version': '1.0' } })).json();
  try {
    for (const id of Object.keys(agents)) {
      const card = await eventually(async () => { const one = await told(id); return one.name === 'SDK agent, for friends' && one; });
      assert.deepEqual([card.version, ...card.skills.map((one) => one.name)], ['8', 'Dance'], id);
      assert.ok(card.supportedInterfaces.every((one) => one.url === `${house.base}/a2a/${id}`));
      assert.equal((await send(house, id, 'echo')).status.state, 'TASK_STATE_COMPLETED');
    }
    await send(house, 'stranger', 'other'); // the card has come
    assert.equal((await told('stranger')).name, 'SDK agent');
  } finally {
    await house.remove();
    await friend.close();
  }
});

for (const [version, binding] of ways) {
  const id = idOf(version, binding);
  const name = (text) => `${version} ${binding}: ${text}`;
  // That proto has no file names, metadata of parts, nor whether an update is appended.
  const lossy = version === '0.3' && binding === 'HTTP+JSON';

  test(name('a message with all kinds of parts goes there and comes back'), async () => {
    const parts = [{ text: 'echo' }, { raw: 'AAEC', mediaType: 'image/png', filename: 'a.png' }, { url: 'https://example.com/b', mediaType: 'text/html' }, { data: { n: 1 } }];
    const task = (await call(bridge, id, 'SendMessage', { message: message('', { parts, metadata: { k: 'v' } }) })).task;
    assert.equal(task.status.state, 'TASK_STATE_COMPLETED', said(task));
    const [echo] = task.artifacts;
    assert.deepEqual([echo.artifactId, echo.name], ['echo', 'Echo']);
    assert.deepEqual(echo.parts, lossy ? parts.map(({ filename, ...one }) => one) : parts);
    const seen = agent.executor.seen.at(-1);
    assert.equal(seen.role, 1);
    assert.notEqual(seen.messageId, '');
    assert.deepEqual(seen.metadata, { k: 'v' });
  });

  test(name('ends'), async () => {
    for (const [text, state, reason] of [['no', 'FAILED', 'I would rather not'], ['reject', 'REJECTED', 'not my job']]) {
      const task = await send(bridge, id, text);
      assert.deepEqual([task.status.state, said(task)], [`TASK_STATE_${state}`, reason]);
    }
  });

  test(name('a message instead of a task'), async () => {
    const answer = await call(bridge, id, 'SendMessage', { message: message('say') });
    const parts = answer.message ? answer.message.parts : answer.task.artifacts[0].parts; // it may have been too slow for a message
    assert.equal(words(parts), 'just a word');
  });

  test(name('what it does is told as it comes'), async () => {
    const states = [];
    for await (const { statusUpdate } of stream(bridge, id, 'SendStreamingMessage', { message: message('progress') }))
      if (statusUpdate) states.push(words(statusUpdate.status.message?.parts ?? []));
    assert.deepEqual(states.filter((one) => one !== ''), ['on it', 'step 1', 'step 2', 'step 3']);
  });

  test(name('artifacts in pieces, files, data'), async () => {
    const task = await send(bridge, id, 'pieces');
    const poem = task.artifacts.find((one) => one.artifactId === 'poem');
    const files = task.artifacts.find((one) => one.artifactId === 'files');
    if (!lossy) {
      assert.equal(words(poem.parts), 'roses are red');
      assert.deepEqual([poem.name, poem.description], ['Poem', 'About flowers']);
      assert.equal(files.parts[0].filename, 'a.png');
    }
    assert.deepEqual(files.parts.map((one) => Object.keys(one)[0]), ['raw', 'url', 'data']);
    assert.deepEqual(files.parts[2].data, { n: 1, deep: [{ a: null }] });
    assert.equal(files.parts[0].raw, 'AAEC');
  });

  test(name('a question in words, and its answer'), async () => {
    const asked = await send(bridge, id, 'ask');
    assert.equal(asked.status.state, 'TASK_STATE_INPUT_REQUIRED');
    assert.equal(said(asked), 'Where to?');
    const task = await send(bridge, id, 'Rome', { taskId: asked.id });
    assert.equal(task.status.state, 'TASK_STATE_COMPLETED', said(task));
    assert.equal(words(task.artifacts[0].parts), 'to Rome');
  });

  test(name('a sign-in, after which it goes on by itself'), async () => {
    const asked = await send(bridge, id, 'auth');
    assert.equal(asked.status.state, 'TASK_STATE_AUTH_REQUIRED');
    assert.equal(asked.status.message.parts.find((one) => one.data).data.questions.auth.url, 'https://idp.example.com/here');
    agent.executor.wakeAll();
    const task = await until(bridge, id, asked.id, (one) => one.status.state === 'TASK_STATE_COMPLETED');
    assert.equal(words(task.artifacts.at(-1).parts), 'in');
  });

  test(name('a conversation here is one there'), async () => {
    const first = await send(bridge, id, 'other');
    const context = words(first.artifacts[0].parts);
    const second = await send(bridge, id, 'other', { contextId: first.contextId });
    assert.equal(words(second.artifacts[0].parts), context);
    assert.notEqual(words((await send(bridge, id, 'other')).artifacts[0].parts), context);
  });

  test(name('cancelling'), async () => {
    const task = await send(bridge, id, 'wait', {}, { returnImmediately: true });
    await until(bridge, id, task.id, (one) => said(one) === 'waiting');
    const before = agent.executor.cancels.length;
    assert.equal((await call(bridge, id, 'CancelTask', { id: task.id })).status.state, 'TASK_STATE_CANCELED');
    await eventually(() => agent.executor.cancels.length > before);
  });

  test(name('streams that break are taken up again'), async () => {
    const task = await send(bridge, id, 'auth', {});
    assert.equal(task.status.state, 'TASK_STATE_AUTH_REQUIRED');
    agent.sockets.closeAllConnections();
    agent.executor.wakeAll();
    await until(bridge, id, task.id, (one) => one.status.state === 'TASK_STATE_COMPLETED');
  });
}
