import OpenAI from 'openai';
import { BASE, FUNCTION, PROMPT, TOOL_PROMPT, say } from './common.mjs';

const client = new OpenAI({ baseURL: `${BASE}/v1`, apiKey: 'none-needed' });

async function chat(name, model, prompt, more = {}) {
  let [text, reasoning, usage] = ['', '', null];
  const calls = new Map();
  const messages = [{ role: 'user', content: prompt }];
  const stream = await client.chat.completions.create({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    ...more,
  });
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage;
    for (const { delta } of chunk.choices) {
      text += delta.content ?? '';
      reasoning += delta.reasoning_content ?? '';
      for (const call of delta.tool_calls ?? []) {
        const known = calls.get(call.index) ?? ['', ''];
        calls.set(call.index, [known[0] + (call.function?.name ?? ''), known[1] + (call.function?.arguments ?? '')]);
      }
    }
  }
  const tools = [...calls.values()].map(([name, json]) => [name, JSON.parse(json)]);
  say(`openai-chat ${name}`, { text, reasoning, tools, input: usage.prompt_tokens, output: usage.completion_tokens });
}

async function responses(name, model, prompt, more = {}) {
  let reasoning = '';
  const stream = client.responses.stream({ model, input: prompt, ...more });
  stream.on('event', (event) => {
    if (/^response\.reasoning(_summary)?_text\.delta$/.test(event.type)) reasoning += event.delta;
  });
  const final = await stream.finalResponse();
  const tools = final.output.filter((i) => i.type === 'function_call').map((i) => [i.name, JSON.parse(i.arguments)]);
  say(`openai-responses ${name}`, {
    text: final.output_text,
    reasoning,
    tools,
    input: final.usage.input_tokens,
    output: final.usage.output_tokens,
  });
}

await chat('text', 'lab/steady', PROMPT);
await chat('reasoning', 'lab/reasoner', PROMPT);
await chat('tools', 'lab/tools', TOOL_PROMPT, { tools: [{ type: 'function', function: FUNCTION }] });
await responses('text', 'lab/steady', PROMPT);
await responses('reasoning', 'lab/reasoner', PROMPT);
await responses('tools', 'lab/tools', TOOL_PROMPT, { tools: [{ type: 'function', strict: false, ...FUNCTION }] });
