import type { Session } from '../session/session.svelte';

/** The reply as one JSON object: what `weir-cli send --json` ends with, in short. */
export function replyJson(session: Session): string {
  const text = (kind: string) =>
    session.blocks
      .filter((block) => block.kind === kind)
      .map((block) => block.text())
      .join('');
  return JSON.stringify(
    {
      outcome: session.outcome?.kind ?? null,
      status: session.status,
      text: text('text'),
      reasoning: text('reasoning'),
      refusal: text('refusal') || undefined,
      tool_calls: session.blocks
        .filter((block) => block.kind === 'tool_call')
        .map((block) => ({
          id: block.tool?.id ?? '',
          name: block.tool?.name ?? '',
          arguments: block.text(),
        })),
      usage: session.usage,
      finish: session.finish,
    },
    null,
    2,
  );
}
