export const VIEWS = ['playground', 'compare', 'sessions', 'lab', 'keys', 'settings', 'console'] as const;
export type View = (typeof VIEWS)[number];

let view = $state<View>('playground');

/** Which view is on screen. */
export const route = {
  get view(): View {
    return view;
  },
  go(to: View): void {
    view = to;
  },
};
