import { GoogleGenAI } from '@google/genai';
import { BASE, FUNCTION, PROMPT, TOOL_PROMPT, say } from './common.mjs';

const client = new GoogleGenAI({ apiKey: 'none-needed', httpOptions: { baseUrl: BASE } });

async function stream(name, model, contents, config) {
  let [text, reasoning, usage] = ['', '', null];
  const tools = [];
  for await (const response of await client.models.generateContentStream({ model, contents, config })) {
    usage = response.usageMetadata ?? usage;
    for (const part of response.candidates?.flatMap((c) => c.content?.parts ?? []) ?? []) {
      if (part.functionCall) tools.push([part.functionCall.name, part.functionCall.args]);
      else if (part.thought) reasoning += part.text ?? '';
      else text += part.text ?? '';
    }
  }
  const output = (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0);
  say(`gemini ${name}`, { text, reasoning, tools, input: usage.promptTokenCount, output });
}

const { name, description, parameters } = FUNCTION;
await stream('text', 'lab/steady', PROMPT);
await stream('reasoning', 'lab/reasoner', PROMPT, { thinkingConfig: { includeThoughts: true } });
await stream('tools', 'lab/tools', TOOL_PROMPT, {
  tools: [{ functionDeclarations: [{ name, description, parametersJsonSchema: parameters }] }],
});
