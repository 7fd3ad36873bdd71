// The bridge dies in the middle of an open call and comes back on the same port: the SDK's transport resumes the stream
// by itself, and the call is answered as if nothing had been.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { Bridge } from './bridge.mjs';

const config = fileURLToPath(new URL('../../examples/agentbridge.jsonc', import.meta.url));
const checkout = fileURLToPath(new URL('../..', import.meta.url));
const reconnectionOptions = { initialReconnectionDelay: 200, maxReconnectionDelay: 500, reconnectionDelayGrowFactor: 1, maxRetries: 60 };

let bridge;
after(async () => { await bridge.remove(); });

test('the release check-list is asked again after kill -9, on the same call', async () => {
  bridge = await Bridge.start(undefined, { config });
  const client = new Client({ name: 'interop', version: '1' }, { capabilities: { elicitation: {} } });
  const questions = [];
  let asked;
  const first = new Promise((resolve) => { asked = resolve; });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    questions.push(params.message);
    asked();
    return questions.length === 1 ? new Promise(() => {}) : { action: 'accept', content: {} };
  });
  await client.connect(new StreamableHTTPClientTransport(bridge.url, { reconnectionOptions }));
  const steps = [];
  const open = client.callTool({ name: 'release_checklist', arguments: { path: checkout } }, undefined,
    { timeout: 50000, onprogress: (progress) => steps.push(progress.progress) });
  await first;
  const { data, url } = bridge;
  await bridge.stop('SIGKILL');
  bridge = await Bridge.start(data, { config, port: url.port });
  const done = await open;
  assert.ok(!done.isError, JSON.stringify(done.content));
  assert.match(done.content[0].text, /^Approved/);
  assert.equal(questions.length, 2);
  assert.equal(questions[0], questions[1]);
  assert.ok(steps.every((step, i) => i === 0 || step > steps[i - 1]), `${steps}`);
  const { structuredContent } = await client.callTool({ name: 'list-tasks', arguments: {} });
  assert.deepEqual(structuredContent.tasks.map((task) => task.status), ['completed']);
  await client.close();
});
