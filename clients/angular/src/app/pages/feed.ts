import { DecimalPipe } from "@angular/common";
import { ChangeDetectionStrategy, Component, computed, effect, inject, input, resource, signal, untracked } from "@angular/core";

import { Api } from "../api/api";
import { camerasStatus, camerasStreamTicket } from "../api/functions";
import { every } from "../every";
import { RefusalNote } from "../refusal";

const ASKED_EVERY_MS = 5_000;

/**
 * One camera in an `<img>`. An image cannot send a token, so its address carries a ticket: good for a minute to start,
 * and then for as long as the person may watch. A browser opens six connections to a host, so this is for one or two
 * cameras; a wall of many uses the one socket `/ws/wall`.
 */
@Component({
  selector: "app-feed",
  imports: [DecimalPipe, RefusalNote],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <figure>
      @if (ticket.hasValue()) {
        <img [src]="ticket.value().url" [alt]="'Live picture of ' + camera()" (error)="renew()" />
      }
      <figcaption role="status">
        @if (isUnknown()) {
          <span class="mark bad">▲ Not live: the server does not answer</span>
        } @else if (status.hasValue()) {
          @let now = status.value();
          <span class="mark" [class.good]="now.state === 'live'" [class.bad]="now.state !== 'live'">
            {{ now.state === "live" ? "●" : "▲" }} {{ now.state }}
          </span>
          @if (now.frame_age_s !== null && now.state !== "live") { picture is {{ now.frame_age_s | number: "1.0-0" }} s old }
          @if (now.last_error) { {{ now.last_error }} }
          @if (now.state === "live") { {{ now.people }} people, {{ now.vehicles }} vehicles }
        }
      </figcaption>
      <app-refusal [error]="ticket.error()" />
    </figure>
  `,
})
export class Feed {
  private readonly api = inject(Api);
  private readonly tick = every(ASKED_EVERY_MS);
  private readonly attempt = signal(0);
  private failedLast = false;

  readonly camera = input.required<string>();

  protected readonly ticket = resource({
    params: () => ({ slug: this.camera(), attempt: this.attempt() }),
    loader: ({ params }) => this.api.invoke(camerasStreamTicket, { slug: params.slug }),
  });
  protected readonly status = resource({
    params: () => ({ slug: this.camera(), tick: this.tick() }),
    loader: ({ params }) => this.api.invoke(camerasStatus, { slug: params.slug }),
  });
  protected readonly isUnknown = computed(() => this.status.error() !== undefined);

  constructor() {
    // A stream that the server ended leaves its last picture standing without an error: after an outage it is begun anew.
    effect(() => {
      const failed = this.isUnknown();
      if (this.status.isLoading()) return;
      if (this.failedLast && !failed) untracked(() => this.attempt.update((count) => count + 1));
      this.failedLast = failed;
    });
  }

  protected renew(): void {
    setTimeout(() => this.attempt.update((count) => count + 1), ASKED_EVERY_MS);
  }
}
