import { DatePipe } from "@angular/common";
import { ChangeDetectionStrategy, Component, computed, inject, linkedSignal, resource, signal } from "@angular/core";
import { FormsModule } from "@angular/forms";

import { Api } from "../api/api";
import { attendanceDaysList, sitesList } from "../api/functions";
import type { FlagKind, FlagReview } from "../api/models";
import { FLAG_KIND } from "../api/models/flag-kind-array";
import { FLAG_REVIEW } from "../api/models/flag-review-array";
import { RefusalNote } from "../refusal";

const PAGE = 50;

/** Today in the person's own zone, as `2026-03-01`; `daysAgo` earlier. */
function date(daysAgo: number): string {
  const day = new Date(Date.now() - daysAgo * 86_400_000);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

@Component({
  selector: "app-attendance",
  imports: [DatePipe, FormsModule, RefusalNote],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <h1>Attendance</h1>
    <form class="row" role="search" aria-label="Filters">
      <label>
        Site
        <select name="site" [(ngModel)]="site">
          <option value="">all</option>
          @for (one of sites.value()?.results; track one.slug) { <option [value]="one.slug">{{ one.name }}</option> }
        </select>
      </label>
      <label>From <input name="from" type="date" [(ngModel)]="from" /></label>
      <label>To <input name="to" type="date" [(ngModel)]="to" /></label>
      <label>
        Flag
        <select name="flag" [(ngModel)]="flag">
          <option value="">any</option>
          @for (kind of kinds; track kind) { <option [value]="kind">{{ words(kind) }}</option> }
        </select>
      </label>
      <label>
        Review
        <select name="review" [(ngModel)]="review">
          <option value="">any</option>
          @for (one of reviews; track one) { <option [value]="one">{{ one }}</option> }
        </select>
      </label>
    </form>
    <app-refusal [error]="days.error()" />
    @if (days.hasValue()) {
      @let list = days.value();
      <p role="status">{{ list.count }} {{ list.count === 1 ? "day" : "days" }}</p>
      <div class="scroll" tabindex="0" role="region" aria-label="Days">
        <table>
          <thead>
            <tr>
              <th scope="col">Date</th><th scope="col">Person</th><th scope="col">Status</th><th scope="col">In</th>
              <th scope="col">Out</th><th scope="col" class="number">Worked</th><th scope="col">Flags</th>
            </tr>
          </thead>
          <tbody>
            @for (day of list.results; track day.id) {
              <tr>
                <td>{{ day.shift_date }}</td>
                <th scope="row">{{ day.employee_code }} {{ day.employee_name }}</th>
                <td>{{ day.status ? words(day.status) : "no shift" }} <small>{{ day.state }}</small></td>
                <td>{{ day.first_in | date: "HH:mm" : offset(day.first_in, day.site) }}</td>
                <td>{{ day.last_out | date: "HH:mm" : offset(day.last_out, day.site) }}</td>
                <td class="number">{{ hours(day.worked_minutes) }}</td>
                <td>
                  @for (flag of day.flags; track flag.kind) {
                    <span class="mark" [class.bad]="flag.review === 'pending'" [title]="flag.why">
                      {{ words(flag.kind) }} {{ flag.minutes ? flag.minutes + " min" : "" }} · {{ flag.review }}
                    </span>
                  }
                </td>
              </tr>
            } @empty {
              <tr><td colspan="7">No day matches.</td></tr>
            }
          </tbody>
        </table>
      </div>
      <p class="row pager">
        <button type="button" [disabled]="!list.previous" (click)="page.set(page() - 1)">Previous</button>
        <span>Page {{ page() }}</span>
        <button type="button" [disabled]="!list.next" (click)="page.set(page() + 1)">Next</button>
      </p>
    } @else if (days.isLoading()) {
      <p role="status">Loading …</p>
    }
  `,
})
export class Attendance {
  private readonly api = inject(Api);

  protected readonly kinds = FLAG_KIND;
  protected readonly reviews = FLAG_REVIEW;
  protected readonly site = signal("");
  protected readonly from = signal(date(30));
  protected readonly to = signal(date(0));
  protected readonly flag = signal<FlagKind | "">("");
  protected readonly review = signal<FlagReview | "">("");
  private readonly filters = computed(() => ({
    site: this.site() || undefined,
    from: this.from() || undefined,
    to: this.to() || undefined,
    flag: this.flag() ? [this.flag() as FlagKind] : undefined,
    review: this.review() || undefined,
  }));
  /** Another filter begins at the first page. */
  protected readonly page = linkedSignal({ source: this.filters, computation: () => 1 });

  protected readonly sites = resource({ loader: () => this.api.invoke(sitesList, { page_size: 500 }) });
  protected readonly days = resource({
    params: () => ({ ...this.filters(), page: this.page(), page_size: PAGE }),
    loader: ({ params }) => this.api.invoke(attendanceDaysList, params),
  });
  private readonly zones = computed(
    () => new Map(this.sites.value()?.results.map((one) => [one.slug, one.timezone ?? "UTC"])),
  );

  protected words(code: string): string {
    return code.replaceAll("_", " ");
  }

  protected hours(minutes: number): string {
    return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
  }

  /** Return the site's offset at an instant, like `+0530`: times of day are those on the wall of the factory. */
  protected offset(at: string | null, site: string): string {
    if (!at) return "UTC";
    const options = { timeZone: this.zones().get(site) ?? "UTC", timeZoneName: "longOffset" } as const;
    const parts = new Intl.DateTimeFormat("en", options).formatToParts(new Date(at));
    const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "GMT";
    return name === "GMT" ? "UTC" : name.replace("GMT", "").replace(":", "");
  }
}
