// One camera: keeps the picture running, changes its size, and fills the screen with F.

const picture = document.getElementById("picture");
const feed = document.getElementById("feed");
const state = document.getElementById("state");
const banner = document.getElementById("feed-lost");
const tier = document.getElementById("tier");
const fullScreen = document.getElementById("full-screen");
const region = document.getElementById("live-region");
const CHECK_MS = 4000;

let retryMs = 1000;

function restart() {
  const url = new URL(feed.src);
  url.searchParams.set("tier", tier.value);
  url.searchParams.set("again", Date.now());
  feed.src = url;
}

function lost(isLost) {
  if (banner.hidden === !isLost) return;
  banner.hidden = !isLost;
  region.textContent = isLost ? "Picture connection lost" : "The picture is back";
}

feed.addEventListener("error", () => {
  lost(true);
  setTimeout(restart, retryMs);
  retryMs = Math.min(retryMs * 2, 10000);
});
feed.addEventListener("load", () => { retryMs = 1000; lost(false); });

// A stream that the server ended fires no event in some browsers: pixels that stand still tell. The server re-sends
// even a dead camera's picture every second, with its age counting up.
const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
let before = "", still = 0;
setInterval(() => {
  if (document.hidden || !feed.naturalWidth) return;
  probe.canvas.width = 320;
  probe.canvas.height = 180;
  probe.drawImage(feed, 0, 0, 320, 180);
  const now = probe.canvas.toDataURL();
  still = now === before ? still + 1 : 0;
  before = now;
  if (still === 0) { lost(false); retryMs = 1000; }
  if (still === 3) { still = 0; restart(); }
}, CHECK_MS);

tier.addEventListener("change", () => {
  history.replaceState(null, "", `?tier=${tier.value}`);
  restart();
});

fullScreen.hidden = !document.fullscreenEnabled;
const toggle = () => (document.fullscreenElement ? document.exitFullscreen() : picture.requestFullscreen());
fullScreen.addEventListener("click", toggle);
addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, select, textarea");
  if (event.key.toLowerCase() === "f" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping) toggle();
});

// Say a change of state once; the counts change all the time and are not read out.
let word = state.querySelector(".badge-word")?.textContent;
state.addEventListener("htmx:afterSwap", () => {
  const now = state.querySelector(".badge-word")?.textContent;
  if (now !== word) region.textContent = now;
  word = now;
});
