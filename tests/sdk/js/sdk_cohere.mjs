import { CohereClientV2 } from 'cohere-ai';
import { BASE, FUNCTION, PROMPT, TOOL_PROMPT, say } from './common.mjs';

const client = new CohereClientV2({ token: 'none-needed', environment: BASE });

async function stream(name, model, prompt, more = {}) {
  let [text, reasoning, usage] = ['', '', null];
  const calls = [];
  for await (const event of await client.chatStream({ model, messages: [{ role: 'user', content: prompt }], ...more })) {
    if (event.type === 'content-delta') {
      text += event.delta.message.content.text ?? '';
      reasoning += event.delta.message.content.thinking ?? '';
    } else if (event.type === 'tool-call-start') {
      const call = event.delta.message.toolCalls;
      calls.push([call.function.name, call.function.arguments ?? '']);
    } else if (event.type === 'tool-call-delta') {
      calls.at(-1)[1] += event.delta.message.toolCalls.function.arguments ?? '';
    } else if (event.type === 'message-end') {
      usage = event.delta.usage.tokens;
    }
  }
  const tools = calls.map(([name, json]) => [name, JSON.parse(json)]);
  say(`cohere ${name}`, { text, reasoning, tools, input: usage.inputTokens, output: usage.outputTokens });
}

await stream('text', 'lab/steady', PROMPT);
await stream('reasoning', 'lab/reasoner', PROMPT);
await stream('tools', 'lab/tools', TOOL_PROMPT, { tools: [{ type: 'function', function: FUNCTION }] });
