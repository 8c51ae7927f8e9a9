/* The page's one timer: asks for news since the revision that it shows, and puts them in place.

   [data-live] holds the URL, data-live-tab which page it is, data-revision what it shows, and
   data-around what it shows of the studio around it; data-live-every how often it asks, in ms
   (default 800); data-final: nothing more will come. An answer is 204, or JSON {revision, around,
   retry_ms, fragments by element id, figures by chart id}; retry_ms 0 ends it. */
(() => {
  "use strict";
  const page = document.querySelector("[data-live]");
  if (!page) return;

  const HIDDEN_MS = 15000;
  const BACKOFF_MS = [1000, 2000, 5000, 15000];
  let revision = page.dataset.revision;
  let around = page.dataset.around || "";
  let pace = Number(page.dataset.liveEvery) || 800;
  let wait = pace;
  let failures = 0;
  let timer = 0;
  let asking = false;
  let asks = 0;
  let paused = false;
  let ended = page.hasAttribute("data-final");

  function address(whole) {
    const query = new URLSearchParams(window.location.search);
    query.set("since", whole ? "-1" : revision);
    query.set("around", around);
    query.set("tab", page.dataset.liveTab);
    // When the address has changed the charts ask by themselves.
    const charts = whole ? [] : window.studioCharts?.due() || [];
    if (charts.length) query.set("charts", charts.join(","));
    return `${page.dataset.live}?${query}`;
  }

  const tell = (name) => document.dispatchEvent(new CustomEvent(`studio:${name}`));

  /** Forms come without a token against forgery: what is sent is the same for all who watch. */
  const headers = JSON.parse(document.body.getAttribute("hx-headers") || "{}");
  const own = (html) => html.replaceAll("__token_of_the_page__", headers["X-CSRFToken"] || "");

  function place(id, html) {
    const element = document.getElementById(id);
    if (!element) return;
    const focused = focusIn(element);
    window.Idiomorph.morph(element, own(html), {
      morphStyle: "innerHTML",
      ignoreActiveValue: true,
      callbacks: { beforeNodeMorphed: keepTicks },
    });
    window.htmx.process(element);
    focused?.();
  }

  /** How to give the focus back should it get lost: to the same control of what has the nearest id. */
  function focusIn(element) {
    const active = document.activeElement;
    if (active === element || !element.contains(active)) return null;
    const owner = active.closest("[id]");
    const alike = () => [...document.getElementById(owner.id).querySelectorAll(active.tagName)];
    const at = owner === active ? -1 : alike().indexOf(active);
    return () => {
      if (document.activeElement === active || !document.getElementById(owner.id)) return;
      const again = at < 0 ? document.getElementById(owner.id) : alike()[at];
      again?.focus({ preventScroll: true });
    };
  }

  /** What the person ticked, opened or typed stays as it is. */
  function keepTicks(old, fresh) {
    if (old.tagName === "INPUT" && old.type === "checkbox") fresh.checked = old.checked;
    if (old.tagName === "OPTION" && old.closest("[data-keep-choice]")) fresh.selected = old.selected;
    if (old.tagName === "DETAILS" && old.open) {
      if (old.dataset.keep !== undefined) return false; // somebody is typing in it
      fresh.open = true;
    }
    return true;
  }

  function show(news, whole, words) {
    const isNews = String(news.revision) !== revision;
    revision = String(news.revision);
    around = news.around;
    Object.entries(news.fragments).forEach(([id, html]) => place(id, html));
    Object.entries(news.figures).forEach(([id, figure]) => window.studioCharts?.update(id, figure, words));
    const name = isNews || !whole ? "studio:news" : "studio:placed";
    document.dispatchEvent(new CustomEvent(name, { detail: news }));
  }

  /** `whole`: everything anew, because the address of the page has changed. */
  async function ask(whole = false) {
    if (asking && !whole) return;
    asking = true;
    const turn = (asks += 1);
    const words = window.location.search;
    try {
      const answer = await fetch(address(whole), { headers: { Accept: "application/json" } });
      if (answer.redirected) {
        window.location.reload();
        return;
      }
      if (answer.status === 404) return gone();
      if (!answer.ok) throw new Error(String(answer.status));
      failures = 0;
      tell("heard");
      wait = pace;
      if (answer.status !== 204) {
        const news = await answer.json();
        // A newer question is on its way, with another address.
        if (turn !== asks) return;
        show(news, whole, words);
        ended = !news.retry_ms;
        if (ended) tell("ended");
        pace = wait = news.retry_ms;
      }
      next();
    } catch {
      wait = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)];
      failures += 1;
      tell("unheard");
      next();
    } finally {
      if (turn === asks) asking = false;
    }
  }

  function gone() {
    ended = true;
    tell("ended");
    const text = "This is no longer there: it was deleted, or is not shown to you any more.";
    window.studio.toast(text, "red");
  }

  function next() {
    clearTimeout(timer);
    if (ended || paused) return;
    timer = setTimeout(ask, document.hidden ? HIDDEN_MS : wait);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !ended && !paused) ask();
  });
  document.addEventListener("studio:pause", ({ detail }) => {
    paused = detail.paused;
    if (paused) clearTimeout(timer);
    else if (!ended) ask();
  });
  window.studioLive = { refresh: () => ask(true) };
  next();
})();
