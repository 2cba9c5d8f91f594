// Says new critical alerts aloud when asked to, and again until somebody takes them on. The choice stays with the
// browser; browsers allow sound only after the person has pressed something on the page.

import { announce, isTyping, sayAges, write } from "./page.js";

const block = document.getElementById("block-alerts");
const button = document.getElementById("sound");
const AGAIN_AFTER_MS = 15000;

const stored = () => { try { return localStorage.getItem("sound") === "on"; } catch { return false; } };
const keep = (isOn) => { try { localStorage.setItem("sound", isOn ? "on" : "off"); } catch { /* private mode: for this page */ } };

let audio = null, isOn = stored(), known = idsOf("[data-waiting]");

function idsOf(selector) {
  return new Set([...block.querySelectorAll(`.alert${selector}`)].map((element) => element.dataset.alert));
}

function beep() {
  if (!isOn || !audio || audio.state !== "running") return;
  for (const [start, pitch] of [[0, 880], [0.22, 660], [0.44, 880]]) {
    const tone = audio.createOscillator(), loudness = audio.createGain(), at = audio.currentTime + start;
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.0001, at);
    loudness.gain.exponentialRampToValueAtTime(0.35, at + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.18);
    tone.connect(loudness).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.2);
  }
  button.dataset.beeps = Number(button.dataset.beeps ?? 0) + 1;
}

function wake() {
  if (!isOn) return;
  audio ??= new AudioContext();
  audio.resume().then(say);
}

function say() {
  const isAsleep = isOn && audio?.state !== "running";
  button.setAttribute("aria-pressed", String(isOn));
  button.querySelector("use").setAttribute("href", isOn ? "#icon-sound" : "#icon-mute");
  write(button.querySelector("[data-word]"), isAsleep ? "Sound: press any key" : isOn ? "Sound on" : "Sound off");
}

function toggle() {
  isOn = !isOn;
  keep(isOn);
  if (isOn) { wake(); setTimeout(beep, 100); }
  say();
}

button.hidden = false;
button.addEventListener("click", toggle);
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { if (isOn && audio?.state !== "running") wake(); });
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
  if (event.key === "m") toggle();
  else if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
  else if (event.key === "x") document.activeElement.closest?.(".alert")?.querySelector("[name=note]")?.focus();
  else return;
  event.preventDefault();
});

// j and k walk through the alerts, x goes to the note of the one that is focused; Enter in the note acknowledges.
function walk(step) {
  const alerts = [...block.querySelectorAll(".alert")];
  const at = alerts.indexOf(document.activeElement.closest?.(".alert"));
  (alerts[at < 0 ? 0 : Math.min(Math.max(at + step, 0), alerts.length - 1)] ?? block.querySelector("h2 a"))?.focus();
}

// Critical ones are read out by their role; the others are said once, politely.
block.addEventListener("htmx:afterSwap", () => {
  sayAges(block);
  const waiting = idsOf("[data-waiting]"), fresh = [...waiting].filter((id) => !known.has(id));
  known = waiting;
  const isCritical = (id) => document.getElementById(`alert-${id}`).dataset.severity === "critical";
  const others = fresh.filter((id) => !isCritical(id));
  if (others.length) announce(others.map((id) => document.querySelector(`#alert-${id} .alert-title a`).textContent).join(". "));
  if (fresh.some(isCritical)) beep();
  const refusal = block.querySelector(".alert-refusal");
  if (refusal) announce(refusal.textContent);
  title();
});
const name = document.title;
function title() {
  const count = idsOf("[data-waiting]").size;
  document.title = count ? `(${count}) ${name}` : name;
}

setInterval(() => { if (block.querySelector(".alert[data-waiting][data-severity=critical]")) beep(); }, AGAIN_AFTER_MS);
if (isOn) wake();
say();
title();
