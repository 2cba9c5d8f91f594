// Keeps a page live: one WebSocket says what has changed, the parts that hear of it are fetched again. Events are
// numbered, so a page that was away asks for what it missed; while there is no socket it looks every few seconds.

import { announce, write } from "./page.js";

const chip = document.getElementById("live");
const banner = document.getElementById("not-live");
const POLL_EVERY_MS = 5000;
const SLOWEST_RETRY_MS = 10000;
const NO_LOGIN = 4401;
const SETTLE_MS = 250;
const WORDS = {
  connecting: ["Connecting", ""],
  live: ["Live", ""],
  slow: ["Not live", "The news service is away. This page looks for news every few seconds; alarms come late."],
  polling: ["Not live", "The live connection is lost. This page looks for news every few seconds; alarms come late."],
  lost: ["Not live", "The server does not answer. What stands here is from"],
};

const clock = (at) => at.toLocaleTimeString([], { hour12: false });

class Line {
  constructor() {
    this.seq = Number(chip.dataset.seq);
    this.site = chip.dataset.site;
    this.state = "connecting";
    this.retryMs = 500;
    this.heardAt = new Date();
    this.missed = new Set();
    this.isCatchingUp = false;
    this.connect();
    setInterval(() => this.poll(), POLL_EVERY_MS);
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/events?after=${this.seq}`);
    this.isCatchingUp = true;
    socket.addEventListener("message", (event) => this.hear(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      if (event.code === NO_LOGIN) { location.assign(`${chip.dataset.login}?next=${encodeURIComponent(location.pathname)}`); return; }
      this.say(this.state === "lost" ? "lost" : "polling");
      setTimeout(() => this.connect(), this.retryMs * (0.75 + Math.random() / 2));
      this.retryMs = Math.min(this.retryMs * 2, SLOWEST_RETRY_MS);
    });
  }

  hear({ seq, kind, site, id }) {
    this.seq = Math.max(this.seq, seq);
    this.heardAt = new Date();
    if (kind === "ready") return this.ready();
    if (kind === "reset") { this.seq = seq; return refreshAll(); }
    if (kind === "slow") return this.say("slow");
    if (kind === "fast") { this.say("live"); return refreshAll(); }
    if (this.site && site !== this.site) return undefined;
    if (this.isCatchingUp && kind === "alert") this.missed.add(id);
    return tell(kind, id);
  }

  ready() {
    const wasAway = this.state === "polling" || this.state === "lost";
    this.isCatchingUp = false;
    this.retryMs = 500;
    this.say("live");
    if (!wasAway) return;
    refreshAll();
    const count = this.missed.size;
    if (count) announce(`${count} alert${count === 1 ? " has" : "s have"} changed while this page was not live`);
    this.missed.clear();
  }

  say(state) {
    if (state === this.state && state !== "lost") return;
    const before = this.state;
    this.state = state;
    chip.dataset.state = state;
    const [word, why] = WORDS[state];
    write(chip.querySelector("[data-word]"), word);
    banner.hidden = !why;
    write(banner.querySelector("[data-why]"), state === "lost" ? `${why} ${clock(this.heardAt)}.` : why);
    if (state === before || before === "connecting" && state === "live") return;
    announce(state === "live" ? "This page is live again" : why);
  }

  poll() {
    if (this.state !== "live" && this.state !== "connecting") refreshAll();
  }

  answered(isAnswered) {
    if (isAnswered) this.heardAt = new Date();
    if (this.state === "polling" && !isAnswered) this.say("lost");
    if (this.state === "lost" && isAnswered) this.say("polling");
  }
}

// A part hears kinds of events ("alert camera") or those of one thing ("alert:12").
const parts = () => document.querySelectorAll("[data-hears]");
const hears = (part, kind, id) => part.dataset.hears.split(" ").some((word) => word === kind || word === `${kind}:${id}`);

// The first nudge is answered at once, a storm of them four times a second.
const waiting = new Map();
function refresh(part) {
  if (waiting.has(part)) { waiting.set(part, true); return; }
  waiting.set(part, false);
  htmx.trigger(part, "refresh");
  setTimeout(() => {
    const again = waiting.get(part);
    waiting.delete(part);
    if (again) refresh(part);
  }, SETTLE_MS);
}

function tell(kind, id) {
  for (const part of parts()) if (hears(part, kind, id)) refresh(part);
}

function refreshAll() {
  for (const part of parts()) refresh(part);
}

const line = new Line();
document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.elt.closest("[data-hears]")) return;
  line.answered(detail.xhr.status !== 0);
  if (detail.xhr.status === 401 || detail.xhr.responseURL.includes(`${chip.dataset.login}?`)) location.reload();
});
document.body.addEventListener("htmx:beforeSwap", (event) => {
  // A login page in place of a part: the login has ended.
  if (event.detail.xhr.responseURL.includes(`${chip.dataset.login}?`)) event.detail.shouldSwap = false;
});
