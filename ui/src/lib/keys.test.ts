import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bindKeys, dispatch, keyLabel, setLetterKeys } from './keys';

let undo: (() => void)[] = [];
const bind: typeof bindKeys = (...args) => {
  const off = bindKeys(...args);
  undo.push(off);
  return off;
};
const press = (key: string, init: KeyboardEventInit = {}, target: HTMLElement = document.body) => {
  const event = new KeyboardEvent('keydown', { key, cancelable: true, bubbles: true, ...init });
  Object.defineProperty(event, 'target', { value: target });
  dispatch(event);
  return event;
};

beforeEach(() => setLetterKeys(true));
afterEach(() => {
  undo.forEach((off) => off());
  undo = [];
});

describe('keyboard map', () => {
  it('asks the newest binding first, and the next if it declines', () => {
    const older = vi.fn();
    const newer = vi.fn((): boolean => false);
    bind({ Escape: older });
    bind({ Escape: newer });
    expect(press('Escape').defaultPrevented).toBe(true);
    expect(newer).toHaveBeenCalledOnce();
    expect(older).toHaveBeenCalledOnce();
  });

  it('leaves letters to text fields, but not combinations', () => {
    const letter = vi.fn();
    const send = vi.fn();
    bind({ j: letter, '/': letter, 'Mod+Enter': send });
    const field = document.createElement('textarea');
    press('j', {}, field);
    press('/', {}, field);
    press('Enter', { ctrlKey: true }, field);
    expect(letter).not.toHaveBeenCalled();
    expect(send).toHaveBeenCalledOnce();
    press('j');
    expect(letter).toHaveBeenCalledOnce();
  });

  it('can turn single letters off', () => {
    const letter = vi.fn();
    bind({ j: letter });
    setLetterKeys(false);
    press('j');
    expect(letter).not.toHaveBeenCalled();
  });

  it('tells a letter from the same with shift', () => {
    const plain = vi.fn();
    const shifted = vi.fn();
    bind({ c: plain, 'Shift+c': shifted });
    press('C', { shiftKey: true });
    expect([plain.mock.calls.length, shifted.mock.calls.length]).toEqual([0, 1]);
    press('c');
    expect(plain).toHaveBeenCalledOnce();
  });

  it('takes no key that was handled already', () => {
    const run = vi.fn();
    bind({ Escape: run });
    const event = new KeyboardEvent('keydown', { key: 'Escape', cancelable: true });
    event.preventDefault();
    dispatch(event);
    expect(run).not.toHaveBeenCalled();
  });

  it('writes combinations for people', () => {
    expect(keyLabel('Mod+Enter')).toEqual(['Ctrl', 'Enter']);
    expect(keyLabel('Escape')).toEqual(['Esc']);
    expect(keyLabel('j')).toEqual(['J']);
  });
});
