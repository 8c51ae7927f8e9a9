/* How the sweep or trial of this page stands, where one sees it from another tab: before the title,
   in the icon; and what is new about it, spoken. It comes with the page (#standing) and its news.

   What has ended while the page was open stays told until somebody has looked at the page. */
(() => {
  "use strict";
  const source = document.getElementById("standing");
  if (!source) return;
  const LOOKED_MS = 10000;
  // Middling, for they stand on light and dark bars of tabs alike.
  const INK = { running: "#3b7df0", waiting: "#8490a3", paused: "#bd7a06", done: "#2f9a5b", failed: "#d6392d" };
  const SIGN = {
    paused: "M12.5 10.5v11M19.5 10.5v11",
    done: "M10 16.5l4.2 4.2l8-9",
    failed: "M11 11l10 10M21 11l-10 10",
  };
  const link = document.querySelector('link[rel="icon"]');
  const usual = link.href;
  const final = document.querySelector("[data-live]").hasAttribute("data-final");
  let known = JSON.parse(source.textContent);
  const before = `${known.word} · `;
  const plain = document.title.startsWith(before) ? document.title.slice(before.length) : document.title;

  function ring(ink, share) {
    const length = 2 * Math.PI * 12;
    const drawn = `stroke-dasharray="${(share * length).toFixed(1)} ${length.toFixed(1)}"`;
    const circle = 'cx="16" cy="16" r="12" fill="none" stroke-width="6"';
    return (
      `<circle ${circle} stroke="${ink}" opacity=".3"/>` +
      `<circle ${circle} stroke="${ink}" ${drawn} transform="rotate(-90 16 16)"/>`
    );
  }
  function sign(ink, path) {
    return (
      `<circle cx="16" cy="16" r="15" fill="${ink}"/>` +
      `<path d="${path}" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round"/>`
    );
  }
  function icon({ mark, share }) {
    const ink = INK[mark];
    if (!ink) return usual;
    const drawing = SIGN[mark] ? sign(ink, SIGN[mark]) : ring(ink, mark === "running" ? Math.max(share, 0.08) : 0);
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${drawing}</svg>`;
    return `data:image/svg+xml,${encodeURIComponent(svg)}`;
  }

  function show(standing) {
    const title = `${standing.word} · ${plain}`;
    if (document.title !== title) document.title = title;
    const drawn = icon(standing);
    if (link.href !== drawn) link.href = drawn;
  }
  function calm() {
    document.title = plain;
    link.href = usual;
  }

  let timer = 0;
  function looked() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(calm, LOOKED_MS);
  }

  function speak(old, fresh) {
    const { announce } = window.studio;
    const more = fresh.failed - old.failed;
    if (fresh.best && fresh.best !== old.best) announce("best", fresh.best);
    if (more > 0) announce("failed", `${more} more trial${more > 1 ? "s" : ""} failed, ${fresh.failed} in all.`);
    if (fresh.said && fresh.said !== old.said) announce("said", fresh.said);
  }

  document.addEventListener("studio:news", ({ detail }) => {
    if (!detail.standing) return;
    speak(known, detail.standing);
    known = detail.standing;
    show(known);
    if (detail.retry_ms) return;
    looked();
    document.addEventListener("visibilitychange", looked);
  });
  if (!final) show(known);
})();
