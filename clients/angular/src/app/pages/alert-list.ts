import { DatePipe } from "@angular/common";
import { ChangeDetectionStrategy, Component, computed, inject, resource, signal } from "@angular/core";
import { FormsModule } from "@angular/forms";

import { Api } from "../api/api";
import { alertsAcknowledge, alertsList } from "../api/functions";
import type { Alert } from "../api/models";
import { every } from "../every";
import { Live } from "../live";
import { RefusalNote } from "../refusal";

const SHOWN = 50;
/** Without the socket the list is asked for so often. */
const POLLED_EVERY_MS = 15_000;

@Component({
  selector: "app-alert-list",
  imports: [DatePipe, FormsModule, RefusalNote],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <section aria-labelledby="alerts-title">
      <h2 id="alerts-title">Open alerts <span class="count">{{ total() }}</span></h2>
      <app-refusal [error]="alerts.error()" />
      <app-refusal [error]="failure()" />
      <p class="unseen" aria-live="polite">{{ newest() }}</p>
      <ul class="plain">
        @for (alert of open(); track alert.id) {
          <li class="card" [class.critical]="alert.severity === 'critical'">
            <p>
              <span class="mark" [class.bad]="alert.severity === 'critical'">{{ sign(alert) }} {{ alert.severity }}</span>
              <time [attr.datetime]="alert.raised_at">{{ alert.raised_at | date: "MMM d, HH:mm" }}</time>
              <small>{{ alert.site }}</small>
            </p>
            <h3>{{ alert.title }}</h3>
            @if (alert.detail) { <p>{{ alert.detail }}</p> }
            @if (alert.state === "acknowledged") {
              <p><small>Taken on by {{ alert.acknowledged_by }}{{ alert.note ? ": " + alert.note : "" }}</small></p>
            } @else {
              <form class="row" (ngSubmit)="acknowledge(alert, note.value)">
                <input #note [attr.aria-label]="'Note on ' + alert.title" placeholder="Note" maxlength="2000" />
                <button [attr.aria-label]="'Acknowledge ' + alert.title">Acknowledge</button>
              </form>
            }
          </li>
        } @empty {
          @if (!alerts.isLoading() && !alerts.error()) { <li>Nothing is open.</li> }
        }
      </ul>
    </section>
  `,
})
export class AlertList {
  private readonly api = inject(Api);
  private readonly live = inject(Live);
  private readonly tick = every(POLLED_EVERY_MS);

  protected readonly failure = signal<unknown>(null);
  protected readonly alerts = resource({
    params: () => ({ changes: this.live.changes("alert"), polled: this.live.isLive() ? 0 : this.tick() }),
    loader: () =>
      this.api.invoke(alertsList, { state: ["new", "seen", "acknowledged"], ordering: "-raised_at", page_size: SHOWN }),
  });
  /** What was last known stays while it is loaded anew. */
  private readonly known = signal<readonly Alert[]>([]);
  protected readonly total = computed(() => (this.alerts.hasValue() ? this.alerts.value().count : ""));
  protected readonly open = computed(() => {
    const rank = { critical: 0, warning: 1, info: 2 };
    const list = this.alerts.hasValue() ? this.alerts.value().results : this.known();
    return [...list].sort((a, b) => rank[a.severity] - rank[b.severity]);
  });
  protected readonly newest = computed(() => {
    const alert = this.open().find((one) => one.state === "new");
    return alert ? `New: ${alert.severity}, ${alert.title}` : "";
  });

  protected sign(alert: Alert): string {
    return { critical: "▲", warning: "■", info: "●" }[alert.severity];
  }

  protected async acknowledge(alert: Alert, note: string): Promise<void> {
    this.failure.set(null);
    try {
      await this.api.invoke(alertsAcknowledge, { id: alert.id, body: { note } });
    } catch (error) {
      this.failure.set(error);
    }
    this.alerts.reload();
  }
}
