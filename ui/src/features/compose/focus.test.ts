// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { focusTurn } from './focus';

describe('focusTurn', () => {
  let frames: FrameRequestCallback[];

  beforeEach(() => {
    frames = [];
    vi.stubGlobal('requestAnimationFrame', (frame: FrameRequestCallback) => frames.push(frame));
    Element.prototype.scrollIntoView = vi.fn();
    document.body.innerHTML =
      '<button></button><input><div class="composer"><div class="msg"><textarea></textarea></div></div>';
  });

  const focused = () => document.activeElement?.localName;
  const paint = () => frames.splice(0).forEach((frame) => frame(0));

  it('leads to the turn', () => {
    document.querySelector('button')!.focus();
    focusTurn(0);
    paint();
    expect(focused()).toBe('textarea');
  });

  it('leads to it where what had the focus is gone', () => {
    document.querySelector('button')!.focus();
    focusTurn(0);
    document.querySelector('button')!.remove();
    paint();
    expect(focused()).toBe('textarea');
  });

  it('takes the focus from nobody who went on typing elsewhere', () => {
    focusTurn(0);
    document.querySelector('input')!.focus();
    paint();
    expect(focused()).toBe('input');
  });
});
