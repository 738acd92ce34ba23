import { Ollama } from 'ollama';
import { BASE, FUNCTION, PROMPT, TOOL_PROMPT, say } from './common.mjs';

const client = new Ollama({ host: BASE });

async function stream(name, model, prompt, more = {}) {
  let [text, reasoning, last] = ['', '', null];
  const tools = [];
  for await (const part of await client.chat({ model, messages: [{ role: 'user', content: prompt }], stream: true, ...more })) {
    last = part;
    text += part.message.content ?? '';
    reasoning += part.message.thinking ?? '';
    for (const call of part.message.tool_calls ?? []) tools.push([call.function.name, call.function.arguments]);
  }
  say(`ollama ${name}`, { text, reasoning, tools, input: last.prompt_eval_count, output: last.eval_count });
}

await stream('text', 'lab/steady', PROMPT);
await stream('reasoning', 'lab/reasoner', PROMPT, { think: true });
await stream('tools', 'lab/tools', TOOL_PROMPT, { tools: [{ type: 'function', function: FUNCTION }] });
