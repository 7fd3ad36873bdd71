// Bridges for the chains: each with a configuration and a data directory of its own, on a free port, stopped by its own
// handle; and an A2A client spoken by hand where the SDK would hide what is on the wire.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

export class Bridge {
  static async start(agents, more = {}) {
    const bridge = new Bridge();
    bridge.folder = await mkdtemp(path.join(tmpdir(), 'agentbridge-chains-'));
    bridge.config = { waits: { head_s: 0.1 }, agents, ...more };
    bridge.port = 0;
    await bridge.go();
    return bridge;
  }

  // Starts it (again, on the port that it had).
  async go() {
    await writeFile(path.join(this.folder, 'bridge.jsonc'), JSON.stringify(this.config));
    this.process = spawn(process.env.AGENTBRIDGE, ['serve', '--config', path.join(this.folder, 'bridge.jsonc'),
      '--listen', `127.0.0.1:${this.port}`, '--data', path.join(this.folder, 'data')], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.log = '';
    this.process.stderr.on('data', (piece) => { this.log += piece; });
    const [line] = await Promise.race([once(createInterface({ input: this.process.stdout }), 'line'),
      once(this.process, 'exit').then(() => { throw new Error(`the bridge did not start: ${this.log}`); })]);
    this.base = line.replace('listening on ', '');
    this.port = new URL(this.base).port;
  }

  async stop(signal = 'SIGTERM') {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill(signal);
    await once(this.process, 'exit');
  }

  async remove() {
    await this.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  card(agent) {
    return `${this.base}/a2a/${agent}/.well-known/agent-card.json`;
  }
}

let count = 0;
export const message = (text, more = {}) => ({ messageId: `m${++count}`, role: 'ROLE_USER', parts: [{ text }], ...more });

// One request of A2A 1.0 over JSON-RPC; its result, or the error thrown.
export async function call(bridge, agent, method, params) {
  const response = await fetch(`${bridge.base}/a2a/${agent}`, { method: 'POST', signal: AbortSignal.timeout(30000),
    headers: { 'content-type': 'application/json', 'a2a-version': '1.0' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
  const answer = await response.json();
  if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
  return answer.result;
}

export const send = async (bridge, agent, text, more = {}, configuration = undefined) =>
  (await call(bridge, agent, 'SendMessage', { message: message(text, more), configuration })).task;

// The results of a stream of A2A 1.0, as they come.
export async function* stream(bridge, agent, method, params, signal = AbortSignal.timeout(30000)) {
  const response = await fetch(`${bridge.base}/a2a/${agent}`, { method: 'POST', signal,
    headers: { 'content-type': 'application/json', 'a2a-version': '1.0' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
  let text = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const data = text.slice(0, end).split('\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)).join('\n');
      if (data) {
        const answer = JSON.parse(data);
        if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
        yield answer.result;
      }
    }
  }
}

// What this gives, once it gives something; fails by itself after a while.
export async function eventually(look) {
  for (let tries = 0; tries < 600; tries++) {
    const found = await look();
    if (found) return found;
    await new Promise((later) => setTimeout(later, 50));
  }
  throw new Error('it never came to be');
}

// The task, once it fits.
export const until = (bridge, agent, id, fits) => eventually(async () => {
  const task = await call(bridge, agent, 'GetTask', { id });
  return fits(task) && task;
});

export const words = (parts) => parts.filter((one) => one.text !== undefined).map((one) => one.text).join('');
export const said = (task) => words(task.status.message?.parts ?? []);
