import type { Component } from 'svelte';
import type { View } from '../lib/route.svelte';
import * as icons from '../ui/icons';

/** How each view is named in the rail, the top bar and the palette. */
export const VIEW_INFO: Record<View, { title: string; about: string; icon: Component<any>; keys: string }> = {
  playground: { title: 'Playground', about: '', icon: icons.Playground, keys: 'Mod+1' },
  compare: { title: 'Compare', about: 'The same prompt, on one clock', icon: icons.Compare, keys: 'Mod+2' },
  sessions: { title: 'Sessions', about: 'Kept on this machine', icon: icons.Sessions, keys: 'Mod+3' },
  lab: { title: 'Lab', about: 'Local server for every protocol', icon: icons.Lab, keys: 'Mod+4' },
  keys: { title: 'Keys', about: 'Secrets stay out of the page', icon: icons.Key, keys: 'Mod+5' },
  console: {
    title: 'Console',
    about: 'SSE and WebSocket, no API on top',
    icon: icons.Terminal,
    keys: 'Mod+7',
  },
  settings: { title: 'Settings', about: '', icon: icons.Sliders, keys: 'Mod+6' },
};
