/* Details of a trial on a lane: what its label says, in a card beside it, by pointer or focus. */
(() => {
  "use strict";
  const PIECE = ".lane-track > a";
  const GAP = 8;
  const card = document.createElement("div");
  card.className = "lane-card";
  card.hidden = true;
  card.setAttribute("aria-hidden", "true"); // the link's own label says the same
  document.body.append(card);
  let shown = null;

  function show(piece) {
    shown = piece;
    const [head, ...lines] = piece.getAttribute("aria-label").split("; ");
    const title = document.createElement("b");
    title.textContent = head;
    card.replaceChildren(
      title,
      ...lines.map((text) => {
        const line = document.createElement("div");
        line.textContent = text;
        return line;
      }),
    );
    card.className = `lane-card ${[...piece.classList].find((name) => name.startsWith("family-"))}`;
    card.hidden = false;
    const box = piece.getBoundingClientRect();
    const left = Math.min(box.left, window.innerWidth - card.offsetWidth - GAP);
    const below = box.bottom + GAP + card.offsetHeight < window.innerHeight;
    card.style.left = `${Math.max(GAP, left)}px`;
    card.style.top = `${below ? box.bottom + GAP : box.top - GAP - card.offsetHeight}px`;
  }

  function hide() {
    shown = null;
    card.hidden = true;
  }

  const pieceOf = (event) => event.target.closest?.(PIECE);
  document.addEventListener("pointerover", (event) => {
    const piece = pieceOf(event);
    if (piece && piece !== shown) show(piece);
    else if (!piece && shown && shown !== document.activeElement) hide();
  });
  document.addEventListener("focusin", (event) => {
    const piece = pieceOf(event);
    if (piece) show(piece);
    else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  window.addEventListener("scroll", hide, { passive: true });
  // After an update the piece may say something else, or be gone.
  document.addEventListener("studio:news", () => {
    if (!shown) return;
    if (shown.isConnected) show(shown);
    else hide();
  });
})();
