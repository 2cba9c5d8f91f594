// The wall: every tile over one WebSocket, because a browser opens only six connections to a host.

import { announce, write } from "./page.js";

const WORDS = { live: "Live", stale: "No live picture", offline: "Offline", disabled: "Switched off" };
const SLOWEST_RETRY_MS = 10000;
const SILENT_AFTER_MS = 5000; // the server sends at least one picture a second for each tile

const wall = document.getElementById("wall");
const banner = document.getElementById("wall-lost");
const summary = document.getElementById("wall-summary");
const decoder = new TextDecoder();

class Tile {
  constructor(element) {
    this.element = element;
    this.camera = element.dataset.camera;
    this.name = element.querySelector(".tile-name").textContent.trim();
    this.canvas = element.querySelector("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.badge = element.querySelector(".badge");
    this.word = element.querySelector(".badge-word");
    this.age = element.querySelector(".badge-age");
    this.waiting = element.querySelector(".tile-waiting");
    this.state = element.dataset.state;
    this.waiting.textContent = "Waiting for the picture";
    this.newest = 0;
    this.painted = 0;
  }

  async show(header, jpeg) {
    const number = ++this.newest;
    this.say(header.state, header.seq ? header.sent_at - header.captured_at : null, header.captured_at);
    if (!jpeg.byteLength) return;
    let bitmap;
    try {
      bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    } catch {
      return; // a broken picture: the next one is on its way
    }
    if (number > this.painted) {
      this.painted = number;
      this.paint(bitmap);
    }
    bitmap.close();
  }

  paint(bitmap) {
    if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
      this.canvas.width = bitmap.width;
      this.canvas.height = bitmap.height;
    }
    this.context.drawImage(bitmap, 0, 0);
    this.waiting.hidden = true;
  }

  say(state, ageSeconds, capturedAt) {
    this.age.hidden = state === "live" || ageSeconds === null; // null: there never was a picture
    if (!this.age.hidden) {
      this.age.dateTime = new Date(capturedAt * 1000).toISOString();
      write(this.age, ageWords(ageSeconds));
    }
    if (state === this.state) return;
    this.state = state;
    this.element.dataset.state = this.badge.dataset.state = state;
    write(this.word, WORDS[state]);
    announce(`${this.name}: ${WORDS[state]}`);
    summarise();
  }
}

function ageWords(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} days`;
}

const tiles = new Map();

// On a screen that looks for news cameras come and go: their tiles are found again.
function findTiles() {
  for (const [camera, tile] of tiles) if (!tile.element.isConnected) tiles.delete(camera);
  for (const element of wall.querySelectorAll(".tile")) {
    if (!tiles.has(element.dataset.camera)) tiles.set(element.dataset.camera, new Tile(element));
  }
  summarise();
}

function summarise() {
  const counts = {};
  for (const tile of tiles.values()) counts[tile.state] = (counts[tile.state] || 0) + 1;
  const parts = Object.keys(WORDS).filter((state) => counts[state]).map((state) => `${counts[state]} ${WORDS[state].toLowerCase()}`);
  write(summary, parts.join(" · "));
}

// A larger tile deserves a larger picture; in the background one picture every two seconds is enough.
const tierFor = (tile) => (tile.canvas.clientWidth * devicePixelRatio > 480 ? "medium" : "tile");
const wanted = () => [...tiles.values()].map((tile) => ({ camera: tile.camera, tier: tierFor(tile), fps: document.hidden ? 0.5 : 10 }));

let socket, asked = "", retryMs = 500, heardAt = 0;

function ask() {
  const message = JSON.stringify({ watch: wanted() });
  if (!socket || socket.readyState !== WebSocket.OPEN || message === asked) return;
  asked = message;
  socket.send(message);
}

function connect() {
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/wall`);
  socket = mine;
  mine.binaryType = "arraybuffer";
  mine.addEventListener("open", () => { asked = ""; heardAt = performance.now(); ask(); });
  mine.addEventListener("message", (event) => (typeof event.data === "string" ? refused(JSON.parse(event.data)) : received(event.data)));
  mine.addEventListener("close", (event) => {
    if (socket !== mine) return;
    if (event.code === 4401) { location.assign(`${wall.dataset.login}?next=${encodeURIComponent(location.pathname)}`); return; }
    lost(true);
    setTimeout(connect, retryMs * (0.75 + Math.random() / 2));
    retryMs = Math.min(retryMs * 2, SLOWEST_RETRY_MS);
  });
}

function received(data) {
  if (data.byteLength < 4) return; // a flush
  const length = new DataView(data).getUint32(0);
  const header = JSON.parse(decoder.decode(new Uint8Array(data, 4, length)));
  heardAt = performance.now();
  retryMs = 500;
  lost(header.note === "Picture connection lost");
  tiles.get(header.camera)?.show(header, new Uint8Array(data, 4 + length));
}

function refused({ error }) {
  const tile = tiles.get(error.camera);
  if (!tile) return;
  tiles.delete(error.camera);
  tile.element.closest("li").remove();
  announce(`${tile.name}: ${error.message}`);
  summarise();
}

function lost(isLost) {
  if (banner.hidden === !isLost) return;
  banner.hidden = !isLost;
  announce(isLost ? "Picture connection lost" : "Pictures are back");
}

// Arrow keys move between tiles as they stand on the screen; Enter follows the link as everywhere.
function walk(event) {
  const links = [...wall.querySelectorAll(".tile")];
  const at = links.indexOf(document.activeElement);
  if (at < 0) return;
  const columns = getComputedStyle(wall).gridTemplateColumns.split(" ").length;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -at, End: links.length - 1 - at };
  const next = links[at + steps[event.key]];
  if (!(event.key in steps) || !next) return;
  event.preventDefault();
  next.focus();
}

function start() {
  wall.addEventListener("keydown", walk);
  addEventListener("resize", () => { clearTimeout(connect.resized); connect.resized = setTimeout(ask, 300); });
  document.addEventListener("visibilitychange", ask);
  setInterval(() => {
    if (socket?.readyState !== WebSocket.OPEN || document.hidden) return;
    if (performance.now() - heardAt > SILENT_AFTER_MS) socket.close();
  }, 1000);
  wall.closest("[data-hears]")?.addEventListener("htmx:afterSwap", () => { findTiles(); ask(); });
  findTiles();
  connect();
}

if (wall) start(); // a screen without cameras has none
