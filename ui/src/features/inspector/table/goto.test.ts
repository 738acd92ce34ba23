import { render } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import type { Session } from '../../session/session.svelte';
import GoTo from './GoTo.svelte';

describe('go to frame', () => {
  it('takes the focus from the table, so that the number goes into it', async () => {
    const table = document.createElement('div');
    table.tabIndex = 0;
    document.body.append(table);
    table.focus();
    expect(document.activeElement).toBe(table);

    const onclose = vi.fn();
    const { getByRole } = render(GoTo, { session: { id: 'a' } as Session, onclose });
    await Promise.resolve();
    const field = getByRole('textbox');
    expect(document.activeElement).toBe(field);

    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    expect(onclose).toHaveBeenCalled();
    table.remove();
  });
});
