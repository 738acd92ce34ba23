import type { Ask } from '../../../gen/Ask';
import type { CodeSample } from '../../../gen/CodeSample';
import type { Draft } from '../../../gen/Draft';
import type { Message } from '../../../gen/Message';
import type { Preview } from '../../../gen/Preview';
import type { Problem } from '../../../gen/Problem';
import { IpcError } from '../backend';
import type { Imported } from '../../../gen/Imported';
import { providers } from './providers';

/** What a draft would send, in the manner of OpenAI Chat whatever the dialect. */
export function preview(draft: Draft): Preview {
  const known = providers().find(({ id }) => id === draft.provider);
  const base = draft.baseUrl ?? known?.dialects.find(([id]) => id === draft.dialect)?.[1] ?? '';
  const path = {
    'openai-responses': '/responses',
    'anthropic-messages': '/messages',
    'openai-realtime': '/realtime',
  }[draft.dialect];
  const url = draft.url ?? base + (path ?? '/chat/completions');
  const body = draft.ask.rawBody ?? JSON.stringify(bodyOf(draft), null, 2);
  const headers = [
    ...(known?.auth ? [{ name: 'Authorization', value: 'Bearer {key}' }] : []),
    { name: 'Content-Type', value: 'application/json' },
    { name: 'Accept', value: draft.transport === 'sse' ? 'text/event-stream' : 'application/json' },
    ...draft.headers,
  ];
  const problems = problemsOf(draft, url);
  const lines = headers.map(({ name, value }) => `  -H '${name}: ${value.replace('{key}', '$KEY')}' \\\n`);
  return {
    method: draft.transport === 'websocket' ? 'GET' : 'POST',
    url: draft.transport === 'websocket' ? url.replace(/^http/, 'ws') : url,
    headers,
    body,
    curl: `curl -N '${url}' \\\n${lines.join('')}  -d '${body}'`,
    problem: problems[0],
    problems,
  };
}

function bodyOf({ ask, transport }: Draft): Record<string, unknown> {
  const { params } = ask;
  return {
    model: ask.model,
    messages: [
      ...(ask.system ? [{ role: 'system', content: ask.system }] : []),
      ...ask.messages.map(writeMessage),
    ],
    stream: transport === 'sse',
    temperature: params.temperature,
    top_p: params.topP,
    max_tokens: params.maxTokens,
    seed: params.seed,
    stop: params.stop,
    tools: ask.tools.length ? ask.tools.map((tool) => ({ type: 'function', function: tool })) : undefined,
    response_format: ask.output && {
      type: ask.output.schema === null ? 'json_object' : 'json_schema',
      json_schema: ask.output.schema === null ? undefined : ask.output,
    },
    ...params.extra,
  };
}

function writeMessage({ role, text, attachments, toolCalls, toolCallId }: Message): unknown {
  const images = attachments?.map(({ mediaType, source }) => ({
    type: 'image_url',
    image_url: { url: 'url' in source ? source.url : `data:${mediaType};base64,${source.data}` },
  }));
  return {
    role,
    content: images ? [...images, { type: 'text', text }] : text,
    tool_calls: toolCalls?.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: call.arguments },
    })),
    tool_call_id: toolCallId,
  };
}

function problemsOf({ ask, dialect }: Draft, url: string): Problem[] {
  const problems: Problem[] = [];
  const inexpressible = (what: string, next: string) =>
    problems.push({
      code: 'inexpressible',
      blame: 'user',
      message: `This dialect cannot express ${what}.`,
      consequence: 'Nothing was sent.',
      evidence: what,
      next,
    });
  if (!/^https?:\/\//.test(url)) {
    problems.push({
      code: 'url',
      blame: 'user',
      message: 'The base URL is not a URL.',
      consequence: 'Nothing can be sent.',
      evidence: url,
      next: 'Write it with http:// or https://.',
    });
  }
  if (dialect === 'anthropic-messages' && ask.params.seed !== undefined)
    inexpressible('a seed', 'Leave seed empty.');
  const media = ask.messages.flatMap(({ attachments }) => attachments ?? []);
  const strange = media.find(({ mediaType }) => !mediaType.startsWith('image/'));
  if (strange) inexpressible(`${strange.mediaType} in a message`, 'Attach an image, or take it away.');
  return problems;
}

/** The inverse of `bodyOf`, for bodies that hold nothing but what it writes. */
export function readBody(draft: Draft, body: string): Ask | null {
  try {
    const { model, messages, stream, temperature, top_p, max_tokens, seed, stop, tools, ...extra } =
      JSON.parse(body) as Record<string, unknown>;
    if (!Array.isArray(messages) || stream !== (draft.transport === 'sse')) return null;
    const said = messages as { role: string; content: unknown; tool_call_id?: string }[];
    if (said.some(({ content }) => typeof content !== 'string')) return null;
    const ask: Ask = {
      model: String(model ?? ''),
      system: String(said.find(({ role }) => role === 'system')?.content ?? ''),
      messages: said
        .filter(({ role }) => role !== 'system')
        .map(({ role, content, tool_call_id }) => ({
          role: role as Message['role'],
          text: content as string,
          toolCallId: tool_call_id,
        })),
      params: Object.fromEntries(
        Object.entries({ temperature, topP: top_p, maxTokens: max_tokens, seed, stop }).filter(
          ([, value]) => value !== undefined,
        ),
      ),
      tools: ((tools ?? []) as { function: Ask['tools'][number] }[]).map((tool) => tool.function),
    };
    if (Object.keys(extra).length) ask.params.extra = extra;
    return ask;
  } catch {
    return null;
  }
}

/** A few languages, enough to look at. */
export function codeOf(draft: Draft): CodeSample[] {
  const { url, curl } = preview(draft);
  const prompt = JSON.stringify(draft.ask.messages.at(-1)?.text ?? '');
  const model = JSON.stringify(draft.ask.model);
  const samples = [
    { id: 'curl', name: 'cURL', language: 'sh', text: curl },
    {
      id: 'python',
      name: 'Python, official SDK',
      language: 'python',
      text: `import os\nfrom openai import OpenAI\n\nclient = OpenAI(api_key=os.environ["OPENAI_API_KEY"])\n\n# The reply comes in pieces.\nstream = client.chat.completions.create(\n    model=${model},\n    messages=[{"role": "user", "content": ${prompt}}],\n    stream=True,\n)\nfor chunk in stream:\n    print(chunk.choices[0].delta.content or "", end="")\n`,
    },
    {
      id: 'javascript-fetch',
      name: 'JavaScript, fetch',
      language: 'js',
      text: `const response = await fetch('${url}', {\n  method: 'POST',\n  headers: { authorization: \`Bearer \${process.env.OPENAI_API_KEY}\` },\n  body: JSON.stringify({ model: ${model} }),\n});\nfor await (const chunk of response.body) console.log(chunk);\n`,
    },
    { id: 'python-httpx', name: 'Python, httpx', language: 'python', text: 'import httpx\n' },
    {
      id: 'javascript',
      name: 'JavaScript, official SDK',
      language: 'js',
      text: "import OpenAI from 'openai';\n",
    },
    { id: 'rust', name: 'Rust, reqwest', language: 'rust', text: 'use reqwest::Client;\n' },
  ];
  return samples.map((sample) => ({ ...sample, note: null }));
}

let foundKey: string | null = null;

/** The key of the command that was read last; it is handed over once. */
export function takeFoundKey(): string {
  const key = foundKey ?? '';
  foundKey = null;
  return key;
}

export function importCurl(text: string): Imported {
  const url = /https?:\/\/[^\s'"]+/.exec(text)?.[0];
  if (!/^\s*curl\b/.test(text) || !url) throw new IpcError('curl', 'This is no cURL command: it has no URL.');
  foundKey = /Bearer\s+([^\s'"$]+)/.exec(text)?.[1] ?? null;
  const known = providers().find(({ dialects }) => dialects.some(([, base]) => url.startsWith(base)));
  const body = /(?:-d|--data(?:-raw)?)\s+'([^']*)'/.exec(text)?.[1] ?? '{}';
  const draft: Draft = {
    provider: known?.id ?? '',
    dialect: 'openai-chat',
    transport: 'sse',
    http: 'auto',
    ask: { model: '', system: '', messages: [{ role: 'user', text: '' }], params: {}, tools: [] },
    headers: [],
    insecure: /\s-k\b/.test(text),
    keepOpen: false,
  };
  if (!known) draft.url = url;
  const ask = readBody(draft, body);
  draft.ask = ask ?? { ...draft.ask, rawBody: body };
  return {
    draft,
    key: foundKey?.slice(-4) ?? null,
    notes: ask ? [] : ['The form cannot hold its body: it is sent as it stands.'],
  };
}
