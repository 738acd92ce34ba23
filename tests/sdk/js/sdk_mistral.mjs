import { Mistral } from '@mistralai/mistralai';
import { BASE, FUNCTION, PROMPT, TOOL_PROMPT, say } from './common.mjs';

const client = new Mistral({ apiKey: 'none-needed', serverURL: `${BASE}/mistral` });

async function stream(name, model, prompt, more = {}) {
  let [text, usage] = ['', null];
  const calls = new Map();
  for await (const { data } of await client.chat.stream({ model, messages: [{ role: 'user', content: prompt }], ...more })) {
    usage = data.usage ?? usage;
    for (const { delta } of data.choices) {
      if (typeof delta.content === 'string') text += delta.content;
      for (const call of delta.toolCalls ?? []) {
        const known = calls.get(call.index) ?? ['', ''];
        const json = call.function.arguments;
        calls.set(call.index, [known[0] + (call.function.name ?? ''), known[1] + (typeof json === 'string' ? json : JSON.stringify(json))]);
      }
    }
  }
  const tools = [...calls.values()].map(([name, json]) => [name, JSON.parse(json)]);
  say(`mistral ${name}`, { text, tools, input: usage?.promptTokens, output: usage?.completionTokens });
}

await stream('text', 'lab/steady', PROMPT);
await stream('tools', 'lab/tools', TOOL_PROMPT, { tools: [{ type: 'function', function: FUNCTION }] });
