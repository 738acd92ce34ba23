import { afterEach, describe, expect, it } from 'vitest';
import { dismissToast, toast, toasts } from './toast.svelte';

afterEach(() => toasts.items.forEach(({ id }) => dismissToast(id)));

describe('toasts', () => {
  it('holds what is said again once, the newest last', () => {
    toast('No later gap.');
    toast('Copied.');
    toast('No later gap.');
    expect(toasts.items.map(({ text }) => text)).toEqual(['Copied.', 'No later gap.']);
  });
  it('keeps each one that can be undone, and three at most', () => {
    const undo = { action: { label: 'Undo', run: () => {} } };
    for (let n = 0; n < 4; n++) toast('Deleted 1 session.', undo);
    expect(toasts.items).toHaveLength(3);
  });
});
