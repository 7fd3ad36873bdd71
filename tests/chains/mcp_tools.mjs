// One set of tools, served by the official MCP SDKs: 1.x (2025-11-25, with sessions) and 2.x (2026-07-28), over HTTP on a
// free port of 127.0.0.1, or on stdio: `node mcp_tools.mjs 1|2`.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import * as v2 from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { InMemoryTaskMessageQueue, InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';

const text = (words) => ({ content: [{ type: 'text', text: words }] });
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+M8AAAQEAQEAXp0bAAAAAElFTkSuQmCC';
const KINDS = [
  { type: 'text', text: 'words', annotations: { audience: ['user'] } },
  { type: 'image', data: PIXEL, mimeType: 'image/png' },
  { type: 'audio', data: 'UklGRg==', mimeType: 'audio/wav' },
  { type: 'resource', resource: { uri: 'memo:///1', mimeType: 'text/plain', text: 'a memo' } },
  { type: 'resource_link', uri: 'https://example.com/x', name: 'x', mimeType: 'text/html' },
];
const FORM = { type: 'object', properties: { name: { type: 'string' }, loud: { type: 'boolean', default: false } }, required: ['name'] };
const greet = ({ action, content }) =>
  text(action === 'accept' ? `Hello, ${content.name}${content.loud ? '!' : '.'}` : `It was: ${action}`);

// What every server has. `steps(extra, n)` tells progress and a log line; `tools` is where a tool more is registered.
function register(server, steps, seen) {
  server.registerTool('add', { description: 'Adds.', inputSchema: { a: z.number(), b: z.number() }, outputSchema: { sum: z.number() },
    annotations: { readOnlyHint: true } },
  ({ a, b }) => ({ ...text(JSON.stringify({ sum: a + b })), structuredContent: { sum: a + b } }));
  server.registerTool('kinds', { description: 'Every kind of content.' }, () => ({ content: KINDS }));
  server.registerTool('refuse', { description: 'Fails.' }, () => ({ ...text('no, because'), isError: true }));
  server.registerTool('steps', { description: 'Tells how far it is.' }, async (extra) => { await steps(extra); return text('three steps'); });
  server.registerTool('wait', { description: 'Until it is cancelled.' }, async (extra) => {
    const signal = extra.signal ?? extra.mcpReq.signal;
    seen.waiting = true;
    if (!signal.aborted) await once(signal, 'abort');
    seen.cancelled = true;
    return text('cancelled');
  });
  server.registerTool('die', { description: 'Ends the program.' }, () => process.exit(3));
}

function makeV1(seen, taskStore, taskMessageQueue) {
  const server = new McpServer({ name: 'tools', title: 'Tools of 1.x', version: '1.5' },
    { capabilities: { logging: {}, tasks: { cancel: {}, requests: { tools: { call: {} } } } }, taskStore, taskMessageQueue });
  register(server, async (extra) => {
    for (let n = 1; n <= 3; n++)
      await extra.sendNotification({ method: 'notifications/progress', params: { progressToken: extra._meta.progressToken, progress: n, total: 3, message: `step ${n}` } });
    await extra.sendNotification({ method: 'notifications/message', params: { level: 'warning', logger: 'steps', data: 'look out' } });
  }, seen);
  server.registerTool('ask', { description: 'Asks for a name.' }, async (extra) =>
    greet(await extra.sendRequest({ method: 'elicitation/create', params: { message: 'Who are you?', requestedSchema: FORM } }, z.any())));
  server.registerTool('grow', { description: 'One tool more.', inputSchema: { name: z.string() } }, ({ name }) => {
    for (const one of seen.servers) one.registerTool(name, { description: 'New.' }, () => text('new'));
    return text('grown');
  });
  server.experimental.tasks.registerToolTask('long', { description: 'A task of its own.', inputSchema: { ms: z.number() },
    execution: { taskSupport: 'required' } }, {
    async createTask({ ms }, { taskStore: store }) {
      const task = await store.createTask({ ttl: 60000, pollInterval: 100 });
      setTimeout(() => store.storeTaskResult(task.taskId, 'completed', text('it took long')).catch(() => { seen.taskGone = true; }), ms);
      return { task };
    },
    getTask: (_args, { taskId, taskStore: store }) => store.getTask(taskId),
    getTaskResult: (_args, { taskId, taskStore: store }) => store.getTaskResult(taskId),
  });
  seen.servers.push(server);
  return server;
}

function makeV2(seen) {
  const server = new v2.McpServer({ name: 'tools', title: 'Tools of 2.x', version: '2.5' }, { capabilities: { logging: {}, tools: { listChanged: true } } });
  register(server, async (extra) => {
    for (let n = 1; n <= 3; n++)
      await extra.mcpReq.notify({ method: 'notifications/progress', params: { progressToken: extra.mcpReq._meta.progressToken, progress: n, total: 3, message: `step ${n}` } });
    await extra.mcpReq.log('warning', 'look out', 'steps');
  }, seen);
  server.registerTool('ask', { description: 'Asks for a name.' }, (extra) => {
    const answer = extra.mcpReq.inputResponses?.who;
    return answer ? greet(answer) : v2.inputRequired({ inputRequests: { who: v2.inputRequired.elicit({ message: 'Who are you?', requestedSchema: FORM }) } });
  });
  server.registerTool('grow', { description: 'One tool more.', inputSchema: { name: z.string() } }, ({ name }) => {
    seen.grown.push(name);
    seen.changed(server, name);
    return text('grown');
  });
  for (const name of seen.grown) server.registerTool(name, { description: 'New.' }, () => text('new'));
  return server;
}

const newSeen = () => ({ servers: [], grown: [], sessions: 0, changed() {} });

async function listen(handle, port) {
  const http = createServer(handle);
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  return http;
}

const handleOf = (http, seen, extra) => ({
  seen, url: `http://127.0.0.1:${http.address().port}/mcp`, port: http.address().port,
  async stop() { http.close(); http.closeAllConnections(); await extra?.(); },
});

export async function serveV1(port = 0) {
  const seen = newSeen();
  const store = new InMemoryTaskStore();
  const queue = new InMemoryTaskMessageQueue();
  const sessions = new Map();
  const http = await listen(async (request, response) => {
    const id = request.headers['mcp-session-id'];
    let transport = sessions.get(id);
    if (id !== undefined && transport === undefined) { // as the SDK's own examples do not, the specification wants 404
      response.writeHead(404).end();
      return;
    }
    if (transport === undefined) {
      transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID,
        onsessioninitialized: (made) => { seen.sessions++; sessions.set(made, transport); } });
      await makeV1(seen, store, queue).connect(transport);
    }
    await transport.handleRequest(request, response);
  }, port);
  seen.forget = () => sessions.clear();
  return handleOf(http, seen, () => store.cleanup());
}

export async function serveV2(port = 0) {
  const seen = newSeen();
  const handler = v2.createMcpHandler(() => makeV2(seen), { legacy: 'reject' });
  seen.changed = () => handler.notify.toolsChanged();
  const http = await listen(async (request, response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const body = request.method === 'POST' ? await new Response(request).text() : undefined;
    const answer = await handler.fetch(new Request(`http://127.0.0.1${request.url}`, { method: request.method, headers: request.headers, body, signal: gone.signal }));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    try {
      for await (const piece of answer.body ?? []) response.write(piece);
    } catch { /* the client left */ }
    response.end();
  }, port);
  return handleOf(http, seen, () => handler.close());
}

export const stdio = (generation) => [process.execPath, fileURLToPath(import.meta.url), String(generation)];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const seen = newSeen();
  if (process.argv[2] === '1') await makeV1(seen, new InMemoryTaskStore(), new InMemoryTaskMessageQueue()).connect(new StdioServerTransport());
  else {
    seen.changed = (server, name) => server.registerTool(name, { description: 'New.' }, () => text('new'));
    serveStdio(() => makeV2(seen));
  }
}
