// Measures the page from inside: the time its own scripts take in each display frame, and the time between display frames.
// A script is what runs from an entry (a callback of the engine, an animation frame, a timer, an event) until its microtasks are done.
{
  const meter = (window.meter = { on: false, script: [], gaps: [], calls: 0, opened: { first: 0, all: 0 }, scrolled: false, stopped: 0 });
  let busy = 0;
  let inside = false;

  function enter() {
    if (!meter.on || inside) return;
    inside = true;
    const start = performance.now();
    // What the entry leaves behind as microtasks belongs to it; a microtask may leave further ones.
    let hops = 10;
    const hop = () => {
      if (hops-- > 0) return queueMicrotask(hop);
      inside = false;
      busy += performance.now() - start;
    };
    queueMicrotask(hop);
  }

  const entering = (callback) => function (...args) {
    enter();
    return callback.apply(this, args);
  };

  const display = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (callback) => display(entering(callback));
  const timeout = window.setTimeout.bind(window);
  window.setTimeout = (callback, ...rest) => timeout(typeof callback === 'function' ? entering(callback) : callback, ...rest);
  for (const type of ['scroll', 'wheel', 'click', 'keydown', 'pointermove', 'pointerdown']) addEventListener(type, enter, { capture: true, passive: true });

  // The engine's answers and news arrive through this map of callbacks.
  const { callbacks } = window.__TAURI_INTERNALS__;
  const get = callbacks.get.bind(callbacks);
  callbacks.get = (id) => {
    const callback = get(id);
    return callback && entering(callback);
  };
  const fetched = window.fetch;
  window.fetch = (...args) => {
    if (String(args[0]).startsWith('ipc:')) meter.calls++;
    return fetched(...args);
  };

  let last = 0;
  const tick = (now) => {
    if (!meter.on) return;
    if (last) {
      meter.gaps.push(now - last);
      meter.script.push(busy);
    }
    busy = 0;
    last = now;
    display(tick);
  };
  meter.begin = () => {
    Object.assign(meter, { on: true, script: [], gaps: [], calls: 0 });
    busy = last = 0;
    display(tick);
  };
  meter.end = () => {
    meter.on = false;
    return { script: meter.script, gaps: meter.gaps, calls: meter.calls };
  };

  /** From the click that opens a session to its first rows, and to the last of so many. */
  meter.open = (frames) => {
    meter.opened = { first: 0, all: 0 };
    let start = 0;
    document.querySelector('[data-testid=session-open]').addEventListener('click', () => (start = performance.now()), { capture: true, once: true });
    const look = () => {
      if (start) {
        const rows = [...document.querySelectorAll('[data-testid=frame-row][data-frame]')].filter((row) => row.getAttribute('aria-busy') === null && row.textContent.trim() !== '');
        if (!meter.opened.first && rows.length > 3) meter.opened.first = performance.now() - start;
        const count = Number((document.querySelector('[data-testid=frame-count]')?.textContent ?? '').replace(/\D/g, ''));
        if (meter.opened.first && count >= frames) return (meter.opened.all = performance.now() - start);
      }
      timeout(look, 5);
    };
    look();
  };

  /** Moves the frame table's bar from its upper end to its lower in so many display frames. */
  meter.scroll = (steps) => {
    meter.scrolled = false;
    const row = document.querySelector('[data-testid=frame-row]');
    let box = row;
    while (box && !(box.scrollHeight > box.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(box).overflowY))) box = box.parentElement;
    let step = 0;
    const move = () => {
      if (!box || step > steps) return timeout(() => (meter.scrolled = true), 300);
      box.scrollTop = ((box.scrollHeight - box.clientHeight) * step++) / steps;
      display(move);
    };
    move();
  };

  /** From the next click on Stop to the moment Send is there again. */
  meter.stop = () => {
    meter.stopped = 0;
    const begin = (event) => {
      if (!event.target.closest?.('[data-testid=stop]')) return;
      removeEventListener('click', begin, true);
      const start = performance.now();
      const look = new MutationObserver(() => {
        if (!document.querySelector('[data-testid=send]')) return;
        look.disconnect();
        meter.stopped = Math.max(1, performance.now() - start);
      });
      look.observe(document.body, { subtree: true, childList: true, attributes: true });
    };
    addEventListener('click', begin, true);
  };
}
