import type { SessionSummary } from '../../gen/SessionSummary';

/** What one recycled row of the list shows. */
export class Slot {
  session = $state.raw<SessionSummary | null>(null);
  /** Row of the list. */
  at = $state(0);
}
