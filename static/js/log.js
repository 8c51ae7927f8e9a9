/* A log, of a trial or of a build: follows the end by byte offset, finds text, stays where one reads.

   [data-log] holds the URL of stdout's pieces, data-log-err that of stderr's. */
(() => {
  "use strict";
  const card = document.querySelector("[data-log]");
  if (!card) return;

  const MAX_LINES = 5000;
  const POLL_MS = 1000;
  const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g;
  const box = card.querySelector("[data-log-lines]");
  const note = card.querySelector("[data-log-note]");
  const followButton = card.querySelector("[data-log-follow]");
  const find = card.querySelector("[data-log-find]");
  const download = card.querySelector("[data-log-download]");
  const urls = { stdout: card.dataset.log, stderr: card.dataset.logErr };
  let state = fresh("stdout");
  let follow = true;
  let timer = 0;

  function fresh(stream) {
    return { stream, offset: null, attempt: null, count: 0, open: null, cut: false, final: false };
  }

  function setFollow(on) {
    follow = on;
    followButton.setAttribute("aria-pressed", String(on));
    if (on) box.scrollTop = box.scrollHeight;
  }

  function line(text) {
    const row = document.createElement("div");
    row.className = "line";
    if (state.stream === "stderr") row.classList.add("stderr");
    const number = document.createElement("i");
    state.count += 1;
    number.textContent = String(state.count);
    const words = document.createElement("span");
    row.append(number, words);
    write(words, text);
    return row;
  }

  /** A carriage return writes over the line, as progress bars do. */
  function write(words, text) {
    words.textContent = text.replace(ANSI, "").split("\r").filter(Boolean).pop() || "";
  }

  function add(text) {
    const parts = text.split("\n");
    if (state.open) {
      state.open.raw += parts.shift();
      write(state.open.row.lastChild, state.open.raw);
      if (parts.length) state.open = null;
    }
    parts.forEach((part, index) => {
      const last = index === parts.length - 1;
      if (last && !part) return;
      const row = line(part);
      box.append(row);
      if (last) state.open = { row, raw: part };
    });
    while (box.childElementCount > MAX_LINES) {
      box.firstElementChild.remove();
      state.cut = true;
    }
  }

  function say() {
    const lines = `${state.count.toLocaleString("en")} line${state.count === 1 ? "" : "s"}`;
    const words = state.count ? lines : state.final ? "nothing was written" : "waiting for output";
    note.textContent = state.cut ? `${words}, the newest ${MAX_LINES.toLocaleString("en")} shown` : words;
  }

  async function ask() {
    clearTimeout(timer);
    const current = state;
    const query = current.offset === null ? "tail=1" : `offset=${current.offset}`;
    try {
      const answer = await fetch(`${urls[current.stream]}?${query}`);
      if (!answer.ok) throw new Error(String(answer.status));
      const piece = await answer.json();
      if (current !== state) return;
      if (current.attempt !== null && piece.attempt !== current.attempt) {
        restart(current.stream);
        return;
      }
      take(piece);
      if (piece.more) ask();
      else if (!piece.final) timer = setTimeout(ask, POLL_MS);
    } catch {
      if (current !== state) return;
      note.textContent = "the studio does not answer; asking again";
      timer = setTimeout(ask, 5 * POLL_MS);
    }
  }

  function take(piece) {
    if (state.offset === null && piece.start > 0) state.cut = true;
    Object.assign(state, { offset: piece.offset, attempt: piece.attempt, final: piece.final });
    if (piece.text) add(piece.text);
    if (find.value) mark();
    say();
    if (follow) box.scrollTop = box.scrollHeight;
  }

  function restart(stream) {
    state = fresh(stream);
    box.replaceChildren();
    ask();
  }

  function mark() {
    const wanted = find.value.toLowerCase();
    let first = null;
    box.querySelectorAll(".line").forEach((row) => {
      const hit = wanted && row.lastChild.textContent.toLowerCase().includes(wanted);
      row.classList.toggle("is-hit", Boolean(hit));
      first = first || (hit ? row : null);
    });
    return first;
  }

  card.addEventListener("click", (event) => {
    const stream = event.target.closest("[data-log-stream]");
    if (stream) {
      card.querySelectorAll("[data-log-stream]").forEach((button) => {
        button.setAttribute("aria-pressed", String(button === stream));
      });
      download.href = download.href.replace(/(stdout|stderr)\.log$/, `${stream.dataset.logStream}.log`);
      restart(stream.dataset.logStream);
    }
    const wrap = event.target.closest("[data-log-wrap]");
    if (wrap) wrap.setAttribute("aria-pressed", String(box.classList.toggle("wrap")));
    if (event.target.closest("[data-log-follow]")) setFollow(!follow);
  });
  box.addEventListener("scroll", () => {
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
    if (follow && !atEnd) setFollow(false);
    else if (!follow && atEnd) setFollow(true);
  });
  find.addEventListener("input", () => {
    const first = mark();
    if (first) {
      setFollow(false);
      first.scrollIntoView({ block: "center" });
    }
  });
  ask();
})();
