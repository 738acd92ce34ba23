import Anthropic from '@anthropic-ai/sdk';
import { BASE, FUNCTION, PROMPT, TOOL_PROMPT, say } from './common.mjs';

const client = new Anthropic({ baseURL: BASE, apiKey: 'none-needed' });

async function stream(name, model, prompt, more = {}) {
  const events = client.messages.stream({ model, max_tokens: 4096, messages: [{ role: 'user', content: prompt }], ...more });
  const final = await events.finalMessage();
  const of = (type, key) => final.content.filter((b) => b.type === type).map((b) => b[key]).join('');
  say(`anthropic-messages ${name}`, {
    text: of('text', 'text'),
    reasoning: of('thinking', 'thinking'),
    tools: final.content.filter((b) => b.type === 'tool_use').map((b) => [b.name, b.input]),
    input: final.usage.input_tokens,
    output: final.usage.output_tokens,
  });
}

await stream('text', 'lab/steady', PROMPT);
await stream('reasoning', 'lab/reasoner', PROMPT);
const { name, description, parameters } = FUNCTION;
await stream('tools', 'lab/tools', TOOL_PROMPT, { tools: [{ name, description, input_schema: parameters }] });
