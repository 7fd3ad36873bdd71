// An agent on the official A2A SDK's own server: 1.0 and its layer for 0.3, over JSON-RPC and HTTP+JSON, on a free port.
// The text of a message says what it does.
import express from 'express';
import { Role, TaskState } from '@a2a-js/sdk';
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server';
import { UserBuilder, agentCardHandler, jsonRpcHandler, restHandler } from '@a2a-js/sdk/server/express';

const part = (kind, value, more = {}) => ({ content: { $case: kind, value }, metadata: undefined, filename: '', mediaType: '', ...more });
const text = (value) => part('text', value);
const textOf = (message) => message.parts.filter((one) => one.content.$case === 'text').map((one) => one.content.value).join('\n');

function cardFor(base, pushNotifications, extendedAgentCard) {
  const interfaces = ['1.0', '0.3'].flatMap((protocolVersion) => [
    { url: `${base}/rpc`, protocolBinding: 'JSONRPC', tenant: '', protocolVersion },
    { url: `${base}/rest`, protocolBinding: 'HTTP+JSON', tenant: '', protocolVersion }]);
  const skill = (id, name) => ({ id, name, description: `It can ${name.toLowerCase()}.`, tags: ['test'], examples: [], inputModes: [], outputModes: [], securityRequirements: [] });
  return {
    name: 'SDK agent', description: 'Does what its text says.', version: '7', supportedInterfaces: interfaces, provider: undefined,
    documentationUrl: '', capabilities: { streaming: true, pushNotifications, extensions: [], extendedAgentCard },
    securitySchemes: {}, securityRequirements: [], defaultInputModes: ['*/*'], defaultOutputModes: ['*/*'],
    skills: [skill('echo', 'Echo'), skill('ask me', 'Ask')], signatures: [], iconUrl: '',
  };
}

class Executor {
  constructor() {
    this.seen = []; // messages, as the SDK understood them
    this.waiting = new Map(); // task id -> what ends its waiting
    this.cancels = []; // task ids
  }

  async execute(context, bus) {
    const { taskId, contextId, userMessage } = context;
    const status = (state, parts) => ({ state, timestamp: new Date().toISOString(),
      message: parts && { messageId: `${taskId}-${Math.random()}`, contextId, taskId, role: Role.ROLE_AGENT, parts, metadata: undefined, extensions: [], referenceTaskIds: [] } });
    const tell = (state, ...parts) => bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: status(state, parts.length > 0 ? parts : undefined), metadata: undefined }));
    const artifact = (artifactId, parts, append = false, lastChunk = true, more = {}) => bus.publish(AgentEvent.artifactUpdate({ taskId, contextId, append, lastChunk, metadata: undefined,
      artifact: { artifactId, name: '', description: '', parts, metadata: undefined, extensions: [], ...more } }));
    const first = context.task?.history?.[0];
    const what = first ? textOf(first).split('\n')[0] : textOf(userMessage).split('\n')[0];
    const done = () => tell(TaskState.TASK_STATE_COMPLETED);
    this.seen.push(userMessage);
    if (what === 'say') {
      bus.publish(AgentEvent.message({ messageId: `m-${taskId}`, contextId, taskId: '', role: Role.ROLE_AGENT, parts: [text('just a word')], metadata: undefined, extensions: [], referenceTaskIds: [] }));
      bus.finished();
      return;
    }
    bus.publish(AgentEvent.task(context.task ?? { id: taskId, contextId, status: status(TaskState.TASK_STATE_SUBMITTED), history: [userMessage], artifacts: [], metadata: undefined }));
    tell(TaskState.TASK_STATE_WORKING, text('on it'));
    if (what === 'echo') {
      artifact('echo', userMessage.parts, false, true, { name: 'Echo' });
      done();
    } else if (what === 'progress') {
      for (const step of [1, 2, 3]) tell(TaskState.TASK_STATE_WORKING, text(`step ${step}`));
      tell(TaskState.TASK_STATE_COMPLETED, text('three steps'));
    } else if (what === 'pieces') {
      artifact('poem', [text('roses ')], false, false, { name: 'Poem', description: 'About flowers' });
      artifact('poem', [text('are ')], true, false);
      artifact('poem', [text('red')], true, true);
      artifact('files', [part('raw', Buffer.from([0, 1, 2]), { mediaType: 'image/png', filename: 'a.png' }), part('url', 'https://example.com/b', { mediaType: 'text/html' }),
        part('data', { n: 1, deep: [{ a: null }] })]);
      done();
    } else if (what === 'no') {
      tell(TaskState.TASK_STATE_FAILED, text('I would rather not'));
    } else if (what === 'reject') {
      tell(TaskState.TASK_STATE_REJECTED, text('not my job'));
    } else if (what === 'ask') {
      if (!context.task) {
        tell(TaskState.TASK_STATE_INPUT_REQUIRED, text('Where to?'));
      } else {
        artifact('way', [text(`to ${textOf(userMessage)}`)]);
        done();
      }
    } else if (what === 'auth') {
      tell(TaskState.TASK_STATE_AUTH_REQUIRED, text('Sign in at https://idp.example.com/here.'));
      await new Promise((go) => this.waiting.set(taskId, go));
      tell(TaskState.TASK_STATE_COMPLETED, text('in'));
    } else if (what === 'wait') {
      tell(TaskState.TASK_STATE_WORKING, text('waiting'));
      await new Promise((go) => this.waiting.set(taskId, go));
      return;
    } else {
      tell(TaskState.TASK_STATE_COMPLETED, text(`context ${contextId}`));
    }
    bus.finished();
  }

  async cancelTask(taskId, bus) {
    this.cancels.push(taskId);
    bus.publish(AgentEvent.statusUpdate({ taskId, contextId: '', metadata: undefined,
      status: { state: TaskState.TASK_STATE_CANCELED, message: undefined, timestamp: new Date().toISOString() } }));
    bus.finished();
    this.wake(taskId);
  }

  // What it waited for has come.
  wake(taskId) {
    this.waiting.get(taskId)?.();
  }

  wakeAll() {
    for (const go of this.waiting.values()) go();
  }
}

// With a `key` it shows another card to those who have that.
export async function serveAgent({ push = false, key = undefined } = {}) {
  const app = express();
  const server = app.listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  const base = `http://127.0.0.1:${server.address().port}`;
  const executor = new Executor();
  const card = cardFor(base, push, key !== undefined);
  const more = { ...card, name: 'SDK agent, for friends', version: '8', skills: [{ ...card.skills[0], id: 'dance', name: 'Dance' }] };
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor, undefined, undefined, undefined, more);
  const knows = async (asking) => ({ isAuthenticated: asking.headers.authorization === `Bearer ${key}`, userName: 'friend' });
  const options = { requestHandler, userBuilder: key ? knows : UserBuilder.noAuthentication, legacyCompat: { enabled: true } };
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler, legacyCompat: { enabled: true } }));
  app.use('/rpc', jsonRpcHandler(options));
  app.use('/rest', restHandler(options));
  return { base, card: `${base}/.well-known/agent-card.json`, executor, sockets: server,
    close: async () => { executor.wakeAll(); server.closeAllConnections(); await new Promise((over) => server.close(over)); } };
}
