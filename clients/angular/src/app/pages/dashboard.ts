import { ChangeDetectionStrategy, Component, computed, inject, linkedSignal, resource } from "@angular/core";
import { FormsModule } from "@angular/forms";

import { Api } from "../api/api";
import { camerasList, occupancyNow } from "../api/functions";
import { every } from "../every";
import { RefusalNote } from "../refusal";
import { AlertList } from "./alert-list";
import { Feed } from "./feed";

const COUNTED_EVERY_MS = 10_000;

@Component({
  selector: "app-dashboard",
  imports: [AlertList, Feed, FormsModule, RefusalNote],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <h1>Now</h1>
    <div class="columns">
      <section aria-labelledby="camera-title">
        <h2 id="camera-title">Camera</h2>
        <app-refusal [error]="cameras.error()" />
        @if (names(); as list) {
          @if (chosen(); as slug) {
            <label>
              Shown
              <select name="camera" [ngModel]="slug" (ngModelChange)="chosen.set($event)">
                @for (camera of list; track camera.slug) {
                  <option [value]="camera.slug">{{ camera.name }} ({{ camera.site }})</option>
                }
              </select>
            </label>
            <app-feed [camera]="slug" />
          } @else {
            <p>There is no camera that you may watch.</p>
          }
        }
      </section>
      <app-alert-list />
      <section aria-labelledby="inside-title">
        <h2 id="inside-title">People inside</h2>
        <app-refusal [error]="inside.error()" />
        @if (inside.hasValue()) {
          <table>
            <thead><tr><th scope="col">Zone</th><th scope="col" class="number">Inside</th><th scope="col">Capacity</th></tr></thead>
            <tbody>
              @for (zone of inside.value(); track zone.zone) {
                <tr>
                  <th scope="row">{{ zone.name }} <small>{{ zone.site }}</small></th>
                  <td class="number">{{ zone.count }}</td>
                  <td>
                    {{ zone.capacity ?? "not set" }}
                    @if (zone.level !== "ok") { <span class="mark bad">▲ {{ zone.level }}</span> }
                    @if (zone.stale) { <span class="mark">a camera is not live</span> }
                  </td>
                </tr>
              } @empty {
                <tr><td colspan="3">There is no zone yet.</td></tr>
              }
            </tbody>
          </table>
        }
      </section>
    </div>
  `,
})
export class Dashboard {
  private readonly api = inject(Api);
  private readonly tick = every(COUNTED_EVERY_MS);

  protected readonly cameras = resource({
    loader: () => this.api.invoke(camerasList, { is_enabled: true, page_size: 500 }),
  });
  protected readonly names = computed(() => (this.cameras.hasValue() ? this.cameras.value().results : null));
  protected readonly chosen = linkedSignal(() => this.names()?.[0]?.slug ?? "");
  protected readonly inside = resource({ params: () => this.tick(), loader: () => this.api.invoke(occupancyNow) });
}
