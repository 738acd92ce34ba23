import type { Preview } from '../../gen/Preview';
import type { Problem } from '../../gen/Problem';

/** What stands in the way of sending, all of it. */
export function problemsOf(preview: Preview | null): readonly Problem[] {
  if (!preview) return [];
  if (preview.problems.length) return preview.problems;
  return preview.problem ? [preview.problem] : [];
}
