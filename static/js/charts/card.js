// The hover card, and the one event by which charts and tables speak of a trial.

const cards = new Map();
const asked = new Set();

/** What is known of running trials has changed. */
export function forget() {
  cards.clear();
  asked.clear();
}

/** The card of a trial is fetched when it is first looked at; `then` is called when it is there. */
async function fetchCard(host, number, then) {
  if (!host.dataset.cards || asked.has(number)) return;
  asked.add(number);
  const answer = await fetch(`${host.dataset.cards}?t=${number}`).catch(() => null);
  if (!answer?.ok) return;
  learn(await answer.json());
  if (current === number) then();
}

export function learn(found) {
  Object.entries(found || {}).forEach(([number, card]) => cards.set(Number(number), card));
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function row(name, value) {
  const line = element("div", "chart-card-row");
  line.append(element("span", "chart-card-name", name), element("b", "", value));
  return line;
}

/** Fill and place the card of a trial at (x, y) inside `host`; `point` is one more row. */
export function show(host, number, x, y, point) {
  let box = host.querySelector(":scope > .chart-card");
  if (!box) {
    box = element("div", "chart-card");
    box.setAttribute("aria-hidden", "true");
    host.append(box);
  }
  if (!cards.has(number)) fetchCard(host, number, () => show(host, number, x, y, point));
  const card = cards.get(number) || { status: "", rows: [], reason: "", more: "" };
  const dot = element("span", "chart-card-dot");
  dot.style.background = `var(--trial-${number % 10})`;
  const head = element("div", "chart-card-head");
  head.append(dot, element("b", "", `#${number}`), element("span", "", card.status));
  const rows = (point ? [point] : []).concat(card.rows);
  box.replaceChildren(head, ...rows.map(([name, value]) => row(name, value)));
  if (card.reason) box.append(element("div", "chart-card-reason", card.reason));
  if (card.more) box.append(element("div", "chart-card-more", card.more));
  box.hidden = false;
  const [width, height] = [box.offsetWidth, box.offsetHeight];
  const left = x + 14 + width > host.clientWidth ? x - 14 - width : x + 14;
  const top = Math.min(Math.max(y - 20, 0), Math.max(host.clientHeight - height, 0));
  box.style.left = `${Math.max(left, 0)}px`;
  box.style.top = `${top}px`;
}

export function hide(host) {
  const box = host.querySelector(":scope > .chart-card");
  if (box) box.hidden = true;
}

let current = null;

/** Tell the page which trial is looked at; null for none. */
export function point(number, source) {
  if (number === current) return;
  current = number;
  document.dispatchEvent(new CustomEvent("studio:hover", { detail: { number, source } }));
}

/** Rows with data-trial light up with the charts, and the other way round. */
export function linkRows() {
  const numberOf = (event) => event.target.closest?.("tr[data-trial]")?.dataset.trial;
  document.addEventListener("pointerover", (event) => {
    const number = numberOf(event);
    if (number !== undefined) point(Number(number), "row");
  });
  document.addEventListener("pointerout", (event) => {
    const row = event.target.closest?.("tr[data-trial]");
    if (row && !row.contains(event.relatedTarget)) point(null, "row");
  });
  document.addEventListener("studio:hover", ({ detail }) => {
    document.querySelectorAll("tr.is-hovered").forEach((row) => row.classList.remove("is-hovered"));
    if (detail.number === null || detail.source === "row") return;
    const rows = document.querySelectorAll(`tr[data-trial="${detail.number}"]`);
    rows.forEach((row) => row.classList.add("is-hovered"));
  });
}
