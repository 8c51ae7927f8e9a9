// Whose turn it is. Asking for six charts and drawing them all at once would make the one that is
// looked at wait for the others: what the address names comes first, then what lies nearest to the
// middle of the screen.

/** The place that the address names; `:target` is known only when the browser has gone there. */
export function place() {
  // Ours are plain; decoding would throw at what others write there.
  return document.getElementById(window.location.hash.slice(1));
}

/** Of charts to be asked for or drawn: how far the chart of `host` is from being looked at, in px. */
function distance(host) {
  if (place()?.contains(host)) return -1;
  const { top, bottom } = host.getBoundingClientRect();
  const middle = window.innerHeight / 2;
  return Math.max(0, top - middle, middle - bottom);
}

export class Turns {
  /** So many work `atOnce`; `rest` is called with what lets the next one begin. */
  constructor(atOnce, rest) {
    this.atOnce = atOnce;
    this.rest = rest;
    this.waiting = new Map();
    this.working = 0;
    this.called = false;
  }

  /** `work` is done when it is the turn of `whom`, which has a `host`; asked for again before that,
      it is done once. */
  take(whom, work) {
    this.waiting.set(whom, work);
    this.call();
  }

  has(whom) {
    return this.waiting.has(whom);
  }

  giveUp(whom) {
    this.waiting.delete(whom);
  }

  call() {
    if (this.called || !this.waiting.size || this.working >= this.atOnce) return;
    this.called = true;
    this.rest(() => {
      this.called = false;
      this.next();
    });
  }

  async next() {
    const [whom] = [...this.waiting.keys()]
      .map((one) => [one, distance(one.host)])
      .sort((one, other) => one[1] - other[1])[0] || [];
    if (!whom) return;
    const work = this.waiting.get(whom);
    this.waiting.delete(whom);
    this.working += 1;
    this.call();
    try {
      await work();
    } finally {
      this.working -= 1;
      this.call();
    }
  }
}

// Two, for one answer is on its way while the next is worked out.
export const asking = new Turns(2, (next) => queueMicrotask(next));
// One in a frame: what is drawn is seen before the next is begun.
export const drawing = new Turns(1, (next) => requestAnimationFrame(next));
