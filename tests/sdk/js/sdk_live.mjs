import { GoogleGenAI, Modality } from '@google/genai';
import { BASE, FUNCTION, PROMPT, TOOL_PROMPT, say } from './common.mjs';

const client = new GoogleGenAI({ apiKey: 'none-needed', httpOptions: { baseUrl: BASE } });

async function turn(name, model, prompt, tools) {
  let [text, usage] = ['', null];
  const calls = [];
  let over;
  const done = new Promise((resolve, reject) => (over = { resolve, reject }));
  const session = await client.live.connect({
    model,
    config: { responseModalities: [Modality.TEXT], ...(tools && { tools }) },
    callbacks: {
      onmessage(message) {
        usage = message.usageMetadata ?? usage;
        for (const part of message.serverContent?.modelTurn?.parts ?? []) text += part.text ?? '';
        for (const call of message.toolCall?.functionCalls ?? []) calls.push([call.name, call.args]);
        // A turn that calls tools goes on when they are answered.
        if (message.serverContent?.turnComplete || calls.length) over.resolve();
      },
      onerror: (event) => over.reject(event.error ?? new Error(event.message)),
      onclose: (event) => over.reject(new Error(`closed: ${event.code} ${event.reason}`)),
    },
  });
  session.sendClientContent({ turns: [{ role: 'user', parts: [{ text: prompt }] }], turnComplete: true });
  await done;
  session.close();
  const output = (usage.responseTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0);
  say(`gemini-live ${name}`, { text, tools: calls, input: usage.promptTokenCount, output });
}

const { name, description, parameters } = FUNCTION;
await turn('text', 'lab/steady', PROMPT);
await turn('tools', 'lab/tools', TOOL_PROMPT, [
  { functionDeclarations: [{ name, description, parametersJsonSchema: parameters }] },
]);
