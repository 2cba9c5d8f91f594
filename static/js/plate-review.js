// The review of plates from the keyboard: a accepts, c goes to the correction, d discards, 1 to 9 take a candidate.
"use strict";

(() => {
  const form = document.querySelector("[data-plate-review]");
  if (!form) return;
  const field = form.elements.plate;
  let isSent = false;
  let isGoing = false; // after g the next key leads to another page

  // A second press while the answer is on its way would decide the next plate unseen.
  form.addEventListener("submit", (event) => {
    if (isSent) event.preventDefault();
    isSent = true;
  });

  for (const button of form.querySelectorAll("[data-candidate]")) {
    button.addEventListener("click", () => {
      field.value = button.dataset.candidate;
      form.querySelector("button[value=correct]").click();
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target === field) {
      if (event.key === "Escape") field.blur();
      if (event.key === "Enter") {
        event.preventDefault();
        form.querySelector("button[value=correct]").click();
      }
      return;
    }
    if (event.target.matches("input, select, textarea")) return;
    const wasGoing = isGoing;
    isGoing = event.key === "g";
    if (wasGoing || isGoing) return;
    const wanted = form.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!wanted) return;
    event.preventDefault();
    if (wanted === field) field.select();
    else wanted.click();
  });
})();
