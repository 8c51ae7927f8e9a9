// Where a chart's payload comes from: fetched when the chart comes into view, and again when the
// address or the sweep has changed.

import { asking } from "./turns.js";

const LEAST_MS = 700;
const RETRY_MS = 3000;
// So far from the screen a chart counts as in view, in px.
const NEAR = 240;

export class Source {
  /** `show(payload)` is called with each new payload, `failed(message)` when there is none: it says
      whether an older one stands, which is then asked for again by itself. */
  constructor(host, show, failed) {
    this.host = host;
    this.show = show;
    this.failed = failed;
    this.seen = false;
    this.stale = true;
    this.asking = false;
    this.askedAt = 0;
    this.pause = LEAST_MS;
    const rootMargin = `${NEAR}px`;
    this.observer = new IntersectionObserver(([entry]) => this.moved(entry), { rootMargin });
    this.observer.observe(host);
    // The observer speaks after the next frame, which waits for Plotly: what is in view is asked for
    // before that.
    const { top, bottom } = host.getBoundingClientRect();
    if (bottom > top && top < window.innerHeight + NEAR && bottom > -NEAR) {
      this.seen = true;
      this.wish();
    }
  }

  /** What has left the screen before its turn came is not asked for. */
  moved(entry) {
    this.seen = entry.isIntersecting;
    if (this.seen && this.stale) this.wish();
    else if (!this.seen) asking.giveUp(this);
  }

  address(kind = "src") {
    const [path, own] = this.host.dataset[kind].split("?");
    const words = new URLSearchParams(window.location.search);
    new URLSearchParams(own).forEach((value, word) => words.set(word, value));
    return words.size ? `${path}?${words}` : path;
  }

  /** The address has changed: at once. */
  renew() {
    this.stale = true;
    if (this.seen) this.wish();
  }

  /** What the page's own question may bring along: its kind, if the chart is seen, is asked with
      the page's words alone, and has been drawn long enough ago. */
  due() {
    const { src } = this.host.dataset;
    const rested = performance.now() >= this.askedAt + this.pause;
    return this.seen && rested && !src.includes("?") ? src.match(/([^/]+)\.json$/)?.[1] : null;
  }

  /** It came along with an answer to a page of these `words`; another page's is not shown. */
  brought(payload, words) {
    if (words !== undefined && words !== window.location.search) return;
    clearTimeout(this.timer);
    this.timer = 0;
    asking.giveUp(this);
    this.abort?.abort();
    this.asking = false;
    this.askedAt = performance.now();
    this.stale = false;
    this.host.removeAttribute("aria-busy");
    this.show(payload);
    this.later(payload.again_ms);
  }

  /** The sweep has news: not more often than the chart can be drawn, nor than answers come, or a
      slow answer would be given up for the next question for as long as there is news. */
  news(cost) {
    this.pause = Math.max(LEAST_MS, 3 * cost);
    this.stale = true;
    if (!this.seen || this.timer || this.asking || asking.has(this)) return;
    this.soon();
  }

  soon() {
    const wait = Math.max(0, this.askedAt + this.pause - performance.now());
    this.timer = setTimeout(() => this.wish(), wait);
  }

  /** What is drawn is being worked out anew: ask again when it may be there. */
  later(ms) {
    if (!ms || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.renew();
    }, ms);
  }

  /** Ask when it is this chart's turn; what is on its way is not waited for. */
  wish() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.abort?.abort();
    this.asking = false;
    asking.take(this, () => this.ask());
  }

  async ask() {
    this.abort = new AbortController();
    this.askedAt = performance.now();
    this.stale = false;
    this.asking = true;
    const { signal } = this.abort;
    const address = this.address();
    this.host.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { signal, headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const payload = await answer.json();
      if (signal.aborted) return;
      this.asking = false;
      if (address !== this.address()) return this.renew();
      this.show(payload);
      this.host.removeAttribute("aria-busy");
      // News came while it was on its way.
      if (this.stale && this.seen) this.soon();
      else this.later(payload.again_ms);
    } catch (error) {
      if (signal.aborted) return;
      this.asking = false;
      this.stale = true;
      this.host.removeAttribute("aria-busy");
      if (this.failed("This chart could not be loaded.")) this.later(RETRY_MS);
    }
  }

  remove() {
    this.observer.disconnect();
    asking.giveUp(this);
    this.abort?.abort();
    clearTimeout(this.timer);
  }
}
