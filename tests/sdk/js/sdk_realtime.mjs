// The SDK speaks to wss alone: BASE_TLS is the Lab's address with TLS, and Node trusts its certificate by NODE_EXTRA_CA_CERTS.
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { BASE_TLS, FUNCTION, PROMPT, TOOL_PROMPT, say } from './common.mjs';

const client = new OpenAI({ baseURL: `${BASE_TLS}/v1`, apiKey: 'none-needed' });

function turn(name, model, prompt, tools = []) {
  return new Promise((resolve, reject) => {
    const connection = new OpenAIRealtimeWS({ model }, client);
    let text = '';
    connection.on('error', reject);
    connection.on('session.created', () => {
      connection.send({ type: 'session.update', session: { type: 'realtime', output_modalities: ['text'], tools } });
      const content = [{ type: 'input_text', text: prompt }];
      connection.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
      connection.send({ type: 'response.create' });
    });
    connection.on('response.output_text.delta', ({ delta }) => (text += delta));
    connection.on('response.done', ({ response }) => {
      const calls = response.output.filter((item) => item.type === 'function_call');
      say(`openai-realtime ${name}`, {
        text,
        tools: calls.map((item) => [item.name, JSON.parse(item.arguments)]),
        input: response.usage.input_tokens,
        output: response.usage.output_tokens,
      });
      connection.close();
      resolve();
    });
  });
}

await turn('text', 'lab/steady', PROMPT);
await turn('tools', 'lab/tools', TOOL_PROMPT, [{ type: 'function', ...FUNCTION }]);
