// Which other sweeps stand beside this one in a chart: ticks in a menu change the words "with" of
// the address, and follow it.

const boxes = (menu) => [...menu.querySelectorAll('input[name="with"]')];

function ticked(menu) {
  const words = window.studioQuery.params();
  const listed = new Set(boxes(menu).map((box) => box.value));
  // What the address names beyond the list stays.
  const kept = words.getAll("with").filter((name) => !listed.has(name));
  words.delete("with");
  const chosen = boxes(menu).filter((box) => box.checked).map((box) => box.value);
  [...kept, ...chosen].forEach((name) => words.append("with", name));
  window.studioQuery.go(words);
}

function find(menu, text) {
  const wanted = text.trim().toLowerCase();
  let shown = 0;
  boxes(menu).forEach((box) => {
    const item = box.closest("label");
    item.hidden = !`${item.textContent} ${box.value}`.toLowerCase().includes(wanted);
    shown += !item.hidden;
  });
  menu.querySelector("[data-edf-none]").hidden = shown > 0;
}

const menuOf = (element) => element.closest?.("[data-edf-others]");

document.addEventListener("change", (event) => {
  if (event.target.name === "with" && menuOf(event.target)) ticked(menuOf(event.target));
});
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-edf-find]")) find(menuOf(event.target), event.target.value);
});
document.addEventListener("submit", (event) => {
  if (menuOf(event.target)) event.preventDefault();
});
document.addEventListener("studio:query", () => {
  const named = new Set(window.studioQuery.params().getAll("with"));
  document.querySelectorAll("[data-edf-others]").forEach((menu) => {
    boxes(menu).forEach((box) => {
      box.checked = named.has(box.value);
    });
  });
});
