// An agent on the official A2A SDK's own server that has done its work at once, to be measured beside: prints its port.
import express from 'express';
import { TaskState } from '@a2a-js/sdk';
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server';
import { UserBuilder, jsonRpcHandler } from '@a2a-js/sdk/server/express';

const executor = {
  async execute({ taskId, contextId, userMessage }, bus) {
    const status = { state: TaskState.TASK_STATE_COMPLETED, message: undefined, timestamp: new Date().toISOString() };
    const part = { content: { $case: 'text', value: 'done' }, metadata: undefined, filename: '', mediaType: '' };
    bus.publish(AgentEvent.task({ id: taskId, contextId, status, history: [userMessage], metadata: undefined,
      artifacts: [{ artifactId: 'result', name: 'result', description: '', parts: [part], metadata: undefined, extensions: [] }] }));
    bus.finished();
  },
  async cancelTask() {},
};
const card = { name: 'instant', description: 'Instant.', version: '1', supportedInterfaces: [{ url: 'http://127.0.0.1/rpc', protocolBinding: 'JSONRPC', tenant: '', protocolVersion: '1.0' }], provider: undefined, documentationUrl: '',
  capabilities: { streaming: true, pushNotifications: false, extensions: [], extendedAgentCard: false }, securitySchemes: {},
  securityRequirements: [], defaultInputModes: ['*/*'], defaultOutputModes: ['*/*'], skills: [], signatures: [], iconUrl: '' };
const app = express();
app.use('/rpc', jsonRpcHandler({ requestHandler: new DefaultRequestHandler(card, new InMemoryTaskStore(), executor),
  userBuilder: UserBuilder.noAuthentication }));
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
