import { computed, effect, inject, Injectable, signal, untracked } from "@angular/core";

import { ApiConfiguration } from "./api/api-configuration";
import type { Event } from "./api/models";
import { Session } from "./session";

const LOGGED_OUT = 4401;
const LONGEST_WAIT_S = 30;

/**
 * `/ws/events`: what changed, as numbered nudges without content. A page asks `changes("alert")` in what it loads, and
 * loads again when that number grows. After a lost connection the numbers go on where they stopped, so none is missed.
 */
@Injectable({ providedIn: "root" })
export class Live {
  private readonly session = inject(Session);
  private readonly server = inject(ApiConfiguration);
  private readonly counts = signal<Readonly<Record<string, number>>>({});
  private readonly resets = signal(0);
  private socket: WebSocket | null = null;
  private seq: number | null = null;
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  readonly state = signal<"off" | "connecting" | "live" | "lost">("off");
  readonly isLive = computed(() => this.state() === "live");

  constructor() {
    effect(() => {
      const isOpen = this.session.isOpen();
      untracked(() => (isOpen ? void this.connect() : this.stop()));
    });
  }

  /** A number that grows when something of `kind` changed, and when everything must be loaded anew. */
  changes(kind: string): number {
    return (this.counts()[kind] ?? 0) + this.resets();
  }

  private async connect(): Promise<void> {
    if (this.socket) return;
    this.state.set(this.tries ? "lost" : "connecting");
    let token: string;
    try {
      token = await this.session.token();
    } catch {
      this.again();
      return;
    }
    if (this.socket || !this.session.isOpen()) return;
    const after = this.seq === null ? "" : `?after=${this.seq}`;
    // A browser cannot send headers with a WebSocket: the token goes as a subprotocol, never in the address.
    const socket = new WebSocket(`${this.server.rootUrl.replace(/^http/, "ws")}/ws/events${after}`, ["bearer", token]);
    this.socket = socket;
    socket.onmessage = (message: MessageEvent<string>) => this.hear(JSON.parse(message.data) as Event);
    socket.onclose = (closed) => this.lose(socket, closed.code);
  }

  private hear(event: Event): void {
    this.seq = event.seq;
    if (event.kind === "ready") {
      this.tries = 0;
      this.state.set("live");
    } else if (event.kind === "reset") {
      this.resets.update((count) => count + 1);
    } else {
      this.counts.update((counts) => ({ ...counts, [event.kind]: (counts[event.kind] ?? 0) + 1 }));
    }
  }

  private lose(socket: WebSocket, code: number): void {
    if (this.socket !== socket) return;
    this.socket = null;
    if (code === LOGGED_OUT && this.tries === 0) {
      // The access token ran out while the socket was open: a fresh one goes on from the same number.
      this.tries = 1;
      this.session.refresh().then(
        () => this.connect(),
        () => this.again(),
      );
    } else {
      this.again();
    }
  }

  /** Wait 1, 2, 4 … 30 s, each a little shorter or longer: after an outage not every client comes at once. */
  private again(): void {
    if (!this.session.isOpen()) return;
    this.state.set("lost");
    const wait = Math.min(2 ** this.tries++, LONGEST_WAIT_S) * (0.8 + Math.random() * 0.4);
    this.timer = setTimeout(() => void this.connect(), wait * 1000);
  }

  private stop(): void {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    this.seq = null;
    this.tries = 0;
    this.state.set("off");
    socket?.close();
  }
}
