/* A job file opens in the new-sweep form: chosen, or dropped anywhere on a page that says so. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-open-file]");
  const hint = document.getElementById("drop-hint");
  if (!form) return;
  const input = form.elements.job_file;

  function open() {
    const [file] = input.files;
    if (!file) return;
    const most = Number(form.dataset.openFile);
    if (file.size > most) {
      const text = `“${file.name}” is no job file: these have ${most / 1024} KiB at most.`;
      studio.toast(text, "red");
      input.value = "";
      return;
    }
    form.requestSubmit();
  }
  input.addEventListener("change", open);

  // After Back the same file may be chosen again.
  window.addEventListener("pageshow", () => {
    input.value = "";
  });

  if (!hint) return;
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  let depth = 0; // of elements entered and not left
  const show = (change) => {
    depth = Math.max(0, depth + change);
    hint.hidden = depth === 0;
  };
  document.addEventListener("dragenter", (event) => hasFiles(event) && show(1));
  document.addEventListener("dragleave", (event) => hasFiles(event) && show(-1));
  document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    show(-depth);
    const { files } = event.dataTransfer;
    if (files.length > 1) return studio.toast("Drop one job file at a time.", "amber");
    input.files = files;
    open();
  });
})();
