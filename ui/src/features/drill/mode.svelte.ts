/** What the Compare view shows: comparisons, the drill, or the memory drill. It outlives the view. */
class CompareMode {
  now = $state<'runs' | 'drill' | 'memory'>('runs');
}

export const compareMode = new CompareMode();
