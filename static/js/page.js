// Every page: the keyboard, the list of its shortcuts, the site switcher, and how long ago things were.

const shortcuts = document.getElementById("shortcuts");
const opener = document.querySelector("[data-shortcuts]");
const AGES_EVERY_MS = 5000;
const AFTER_G_MS = 1500;

export const isTyping = (target) => Boolean(target.closest?.("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]"));
export const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };

// Several things said at once are one announcement, not ten.
let pending = [];
export function announce(text) {
  const region = document.getElementById("live-region");
  if (!pending.length) setTimeout(() => { region.textContent = pending.join(". "); pending = []; }, 600);
  pending.push(text);
}

export function agoWords(seconds) {
  if (seconds < 5) return "now";
  if (seconds < 60) return `${Math.floor(seconds / 5) * 5} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

export function sayAges(root = document) {
  for (const time of root.querySelectorAll("time[data-age]")) {
    time.dataset.ago = agoWords(Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000));
  }
}

if (opener && shortcuts) {
  opener.hidden = false;
  opener.addEventListener("click", () => shortcuts.showModal());
}

let afterG = 0;
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "?" && shortcuts) {
    if (!shortcuts.open) shortcuts.showModal();
  } else if (event.key === "g") {
    afterG = performance.now();
    return;
  } else if (performance.now() - afterG < AFTER_G_MS && shortcuts?.querySelector(`[data-go="${CSS.escape(event.key)}"]`)) {
    shortcuts.querySelector(`[data-go="${CSS.escape(event.key)}"]`).click();
  } else {
    return;
  }
  afterG = 0;
  event.preventDefault();
});

for (const form of document.querySelectorAll("[data-submit-on-change]")) {
  form.querySelector("[data-without-scripts]")?.remove();
  form.addEventListener("change", () => form.requestSubmit());
}

sayAges();
setInterval(sayAges, AGES_EVERY_MS);
