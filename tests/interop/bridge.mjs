// The bridge under test: started on a free port with a data directory of its own, stopped by its own handle.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import path from 'node:path';

export class Bridge {
  static async start(data, { config = 'bridge.jsonc', port = 0 } = {}) {
    const bridge = new Bridge();
    bridge.data = data ?? (await mkdtemp(path.join(tmpdir(), 'agentbridge-interop-')));
    bridge.process = spawn(process.env.AGENTBRIDGE,
      ['serve', '--config', config, '--listen', `127.0.0.1:${port}`, '--data', bridge.data],
      { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = await once(createInterface({ input: bridge.process.stdout }), 'line');
    bridge.url = new URL(line.replace('listening on ', '') + '/mcp');
    return bridge;
  }

  async stop(signal = 'SIGTERM') {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill(signal);
      await once(this.process, 'exit');
    }
  }

  async remove() {
    await this.stop('SIGKILL');
    await rm(this.data, { recursive: true, force: true });
  }
}

const VERSION = '2026-07-28';

// One request of 2026-07-28 by hand, for what the SDK has no words for (the Tasks extension).
export async function modern(url, method, params, { name, tasks = true, asks = false, signal } = {}) {
  const headers = {
    'content-type': 'application/json', accept: 'application/json, text/event-stream',
    'mcp-protocol-version': VERSION, 'mcp-method': method,
  };
  if (name !== undefined) headers['mcp-name'] = name;
  const capabilities = { ...(tasks && { extensions: { 'io.modelcontextprotocol/tasks': {} } }), ...(asks && { elicitation: {} }) };
  const body = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: {
    'io.modelcontextprotocol/protocolVersion': VERSION, 'io.modelcontextprotocol/clientCapabilities': capabilities } } };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal });
}

// The messages of an event stream, as they come.
export async function* messages(response) {
  let text = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    let end;
    while ((end = text.indexOf('\n\n')) >= 0) {
      const data = text.slice(0, end).split('\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
      text = text.slice(end + 2);
      if (data.length > 0) yield JSON.parse(data.join('\n'));
    }
  }
}

export async function answer(response) {
  if (!response.headers.get('content-type').startsWith('text/event-stream')) return response.json();
  let last;
  for await (const message of messages(response)) last = message;
  return last;
}
