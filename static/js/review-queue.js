// Works through HR's queue from the keyboard: j and k move, x ticks, n goes to the note, e excuses, c confirms, o opens.
"use strict";

(() => {
  const KEYS = { e: "excuse", c: "confirm" };
  let rows = [];
  let current = -1;

  const isTyping = (target) => target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
  const tick = (row) => row.querySelector("input.action-select");

  function move(step) {
    if (!rows.length) return;
    rows[current]?.classList.remove("is-current");
    current = Math.min(Math.max(current + step, 0), rows.length - 1);
    const row = rows[current];
    row.classList.add("is-current");
    row.scrollIntoView({ block: "nearest" });
    tick(row)?.focus({ preventScroll: true });
  }

  function act(action, form) {
    const ticked = rows.filter((row) => tick(row)?.checked);
    if (!ticked.length) {
      if (current < 0) return;
      tick(rows[current]).click();
    }
    const note = form.querySelector("[data-note]");
    form.elements.action.value = action;
    if (action === "excuse" && note && !note.value.trim()) {
      note.focus();
      note.setAttribute("aria-invalid", "true");
      return;
    }
    form.querySelector("button[name=index]").click();
  }

  function onKey(event, form) {
    const isNote = event.target.matches("[data-note]");
    if (isNote && event.key === "Enter" && form.elements.action.value) {
      event.preventDefault();
      form.querySelector("button[name=index]").click();
      return;
    }
    if (isNote && event.key === "Escape") event.target.blur();
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "x" && current >= 0) tick(rows[current]).click();
    else if (event.key === "n") form.querySelector("[data-note]")?.focus();
    else if (event.key === "o" && current >= 0) rows[current].querySelector(".field-person a")?.click();
    else if (event.key in KEYS) act(KEYS[event.key], form);
    else return;
    event.preventDefault();
  }

  document.addEventListener("DOMContentLoaded", () => {
    const form = document.getElementById("changelist-form");
    if (!form) return;
    rows = [...form.querySelectorAll("#result_list tbody tr")];
    document.addEventListener("keydown", (event) => onKey(event, form));
  });
})();
