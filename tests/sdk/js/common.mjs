// What every script of this folder says of a reply: one JSON object a line, read by tests/sdk/mod.rs.
export const BASE = process.argv[2];
/** The same server over TLS. */
export const BASE_TLS = process.argv[3];
export const PROMPT = 'Tell me about rivers and weirs, please.';
export const TOOL_PROMPT = 'What is the weather in Paris for 3 days?';
export const PARAMETERS = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city'],
};
export const FUNCTION = { name: 'weather', description: 'Tells the weather.', parameters: PARAMETERS };

/** Tells what the SDK made of one reply; `tools` are pairs of a name and arguments as an object. */
export function say(name, { text = '', reasoning = '', tools = [], input = null, output = null }) {
  console.log(JSON.stringify({ case: name, text, reasoning, tools, input, output }));
}
