// MCP client -> bridge -> A2A agent on the official SDK: both eras of MCP call what speaks A2A only.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { Bridge, eventually } from './house.mjs';
import { serveAgent } from './sdk_agent.mjs';

let agent;
let bridge;
before(async () => {
  agent = await serveAgent();
  bridge = await Bridge.start({ far: { kind: 'a2a', card: agent.card, publish: 'skills' } }, { waits: { grace_s: 0.3, head_s: 0.1 } });
});
after(async () => { await bridge?.remove(); await agent?.close(); });

const eras = {
  modern: async (onElicit) => {
    const client = new Client({ name: 'chains', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: onElicit ? { elicitation: { form: {} } } : {} });
    if (onElicit) client.setRequestHandler('elicitation/create', onElicit);
    await client.connect(new StreamableHTTPClientTransport(new URL(`${bridge.base}/mcp`)));
    return client;
  },
  legacy: async (onElicit) => {
    const client = new OldClient({ name: 'chains', version: '1' }, { capabilities: onElicit ? { elicitation: {} } : {} });
    if (onElicit) client.setRequestHandler(ElicitRequestSchema, onElicit);
    await client.connect(new OldTransport(new URL(`${bridge.base}/mcp`)));
    return client;
  },
};

for (const [era, connect] of Object.entries(eras)) {
  const tool = async (client, name, args, options) => (era === 'modern' ? client.callTool({ name, arguments: args }, options)
    : client.callTool({ name, arguments: args }, undefined, options));

  test(`${era}: result, artifacts, and what is told on the way`, async () => {
    const client = await connect();
    const done = await tool(client, 'invoke', { agent: 'far', text: 'pieces' });
    assert.equal(done.isError ?? false, false, JSON.stringify(done.content));
    assert.equal(done.structuredContent.status, 'completed');
    assert.equal(done.structuredContent.result, 'roses are red');
    const kinds = done.content.map((block) => block.type);
    assert.ok(kinds.includes('image') && kinds.includes('resource_link'), kinds.join());
    assert.equal(done.structuredContent.artifacts.map((one) => one.id).join(), 'poem,files');
    const told = [];
    await tool(client, 'invoke', { agent: 'far', text: 'progress' }, { onprogress: (one) => told.push(one.message) });
    assert.ok(told.includes('step 3'), told.join());
    await client.close();
  });

  test(`${era}: a question becomes an elicitation, its answer goes back`, async () => {
    const asked = [];
    const client = await connect((request) => { asked.push(request.params.message); return { action: 'accept', content: { text: 'Rome' } }; });
    const done = await tool(client, 'invoke', { agent: 'far', text: 'ask' });
    assert.deepEqual(asked, ['Where to?']);
    assert.equal(done.structuredContent.result, 'to Rome');
    await client.close();
  });

  test(`${era}: a client that cannot be asked answers by reply-task`, async () => {
    const client = await connect();
    const paused = await tool(client, 'invoke', { agent: 'far', text: 'ask' });
    assert.equal(paused.structuredContent.status, 'paused');
    const { task_id } = paused.structuredContent;
    await tool(client, 'reply-task', { task_id, text: 'Oslo' });
    const done = await tool(client, 'get-task', { task_id, wait_s: 20 });
    assert.equal(done.structuredContent.result, 'to Oslo');
    await client.close();
  });

  test(`${era}: a sign-in is shown with its page, and the task goes on by itself`, async () => {
    const client = await connect();
    const paused = await tool(client, 'invoke', { agent: 'far', text: 'auth' });
    assert.equal(paused.structuredContent.reason, 'auth');
    assert.equal(Object.values(paused.structuredContent.questions)[0].url, 'https://idp.example.com/here');
    agent.executor.wakeAll();
    const { task_id } = paused.structuredContent;
    await eventually(async () => (await tool(client, 'get-task', { task_id, wait_s: 0 })).structuredContent.result === 'in');
    await client.close();
  });

  test(`${era}: stopping it here cancels it there`, async () => {
    const client = await connect();
    const running = await tool(client, 'invoke', { agent: 'far', text: 'wait', wait_s: 0 });
    const { task_id } = running.structuredContent;
    await eventually(async () => (await tool(client, 'get-task', { task_id, wait_s: 0 })).structuredContent.status_message === 'waiting');
    const before = agent.executor.cancels.length;
    await tool(client, 'stop-task', { task_id });
    await eventually(() => agent.executor.cancels.length > before);
    await client.close();
  });

  test(`${era}: "no" and "not mine" are errors with the agent's words`, async () => {
    const client = await connect();
    for (const [text, words] of [['no', /I would rather not/], ['reject', /not my job/]]) {
      const done = await tool(client, 'invoke', { agent: 'far', text });
      assert.equal(done.isError, true);
      assert.match(done.content[0].text, words);
    }
    await client.close();
  });

  test(`${era}: a message instead of a task is a result`, async () => {
    const client = await connect();
    assert.equal((await tool(client, 'invoke', { agent: 'far', text: 'say' })).structuredContent.result, 'just a word');
    await client.close();
  });

  test(`${era}: each skill is a tool of its own`, async () => {
    const client = await connect();
    const listed = await eventually(async () => (await client.listTools()).tools.filter((one) => one.name.startsWith('far_')).length === 2 && client.listTools());
    const skills = listed.tools.filter((one) => one.name.startsWith('far_'));
    assert.deepEqual(skills.map((one) => one.description), ['It can echo.', 'It can ask.']);
    const done = await tool(client, skills[0].name, { text: 'other' });
    assert.match(JSON.stringify(done.content), /context /);
    assert.equal(agent.executor.seen.at(-1).metadata.skillId, 'echo');
    await client.close();
  });

  test(`${era}: a thread here is a conversation there`, async () => {
    const client = await connect();
    const first = (await tool(client, 'invoke', { agent: 'far', text: 'other' })).structuredContent;
    const second = (await tool(client, 'invoke', { agent: 'far', text: 'other', thread_id: first.thread_id })).structuredContent;
    assert.match(first.result, /^context /);
    assert.equal(second.result, first.result);
    await client.close();
  });
}
