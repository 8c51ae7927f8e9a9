/* The page's one timer: asks for news since the revision that it shows, and puts them in place.

   [data-live] holds the URL, data-live-tab which page it is, data-revision what it shows, and
   data-around what it shows of the studio around it; data-live-every how often it asks, in ms
   (default 1000); data-final: nothing more will come. An answer is 204, or JSON {revision, around,
   retry_ms, fragments by element id, figures by chart id}; retry_ms 0 ends it. */
(() => {
  "use strict";
  const page = document.querySelector("[data-live]");
  if (!page) return;

  const HIDDEN_MS = 15000;
  const BACKOFF_MS = [1000, 2000, 5000, 15000];
  let revision = page.dataset.revision;
  let around = page.dataset.around || "";
  const pace = Number(page.dataset.liveEvery) || 1000;
  let wait = pace;
  let failures = 0;
  let seen = Date.now();
  let timer = 0;
  let asking = false;
  let asks = 0;
  let ended = page.hasAttribute("data-final");

  function address(whole) {
    const query = new URLSearchParams(window.location.search);
    query.set("since", whole ? "-1" : revision);
    query.set("around", around);
    query.set("tab", page.dataset.liveTab);
    return `${page.dataset.live}?${query}`;
  }

  function chip() {
    const shown = document.querySelector("[data-live-chip]");
    if (!shown) return;
    const word = shown.querySelector("[data-live-word]");
    const lost = failures > 1;
    const seconds = Math.max(0, Math.round((Date.now() - seen) / 1000));
    word.textContent = lost ? "Reconnecting" : "Live";
    word.className = lost ? "family-amber" : "family-green";
    const since = seconds < 2 ? "just now" : `${seconds} s ago`;
    shown.querySelector("[data-live-ago]").textContent = lost ? `last update ${since}` : "";
  }

  function place(id, html) {
    const element = document.getElementById(id);
    if (!element) return;
    window.Idiomorph.morph(element, html, {
      morphStyle: "innerHTML",
      ignoreActiveValue: true,
      callbacks: { beforeNodeMorphed: keepTicks },
    });
    window.htmx.process(element);
  }

  /** What the person ticked, opened or typed stays as it is. */
  function keepTicks(old, fresh) {
    if (old.tagName === "INPUT" && old.type === "checkbox") fresh.checked = old.checked;
    if (old.tagName === "DETAILS" && old.open) {
      if (old.dataset.keep !== undefined) return false; // somebody is typing in it
      fresh.open = true;
    }
    return true;
  }

  function show(news, whole) {
    const isNews = String(news.revision) !== revision;
    revision = String(news.revision);
    around = news.around;
    Object.entries(news.fragments).forEach(([id, html]) => place(id, html));
    Object.entries(news.figures).forEach(([id, figure]) => window.studioCharts?.update(id, figure));
    const name = isNews || !whole ? "studio:news" : "studio:placed";
    document.dispatchEvent(new CustomEvent(name, { detail: news }));
  }

  /** `whole`: everything anew, because the address of the page has changed. */
  async function ask(whole = false) {
    if (asking && !whole) return;
    asking = true;
    const turn = (asks += 1);
    try {
      const answer = await fetch(address(whole), { headers: { Accept: "application/json" } });
      if (answer.redirected) {
        window.location.reload();
        return;
      }
      if (answer.status === 404) return;
      if (!answer.ok) throw new Error(String(answer.status));
      failures = 0;
      seen = Date.now();
      wait = pace;
      if (answer.status !== 204) {
        const news = await answer.json();
        // A newer question is on its way, with another address.
        if (turn !== asks) return;
        show(news, whole);
        ended = !news.retry_ms;
        wait = news.retry_ms;
      }
      next();
    } catch {
      wait = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)];
      failures += 1;
      next();
    } finally {
      if (turn === asks) asking = false;
      chip();
    }
  }

  function next() {
    clearTimeout(timer);
    if (ended) return;
    timer = setTimeout(ask, document.hidden ? HIDDEN_MS : wait);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !ended) ask();
  });
  window.studioLive = { refresh: () => ask(true) };
  next();
})();
