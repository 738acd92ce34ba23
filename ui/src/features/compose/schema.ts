/** A JSON Schema as it was typed: an object, or what keeps it from being one. */
export function parseSchema(text: string): { value: unknown } | { error: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { error: 'A JSON Schema is an object.' };
    return { value };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** JSON laid out for editing; text that is none stays as it is. */
export function layOut(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The template of a client event, laid out, with the session's model where it leaves one open. */
export function filledIn(template: string, model: string): string {
  return layOut(template.replace('"model":""', () => `"model":${JSON.stringify(model)}`));
}
