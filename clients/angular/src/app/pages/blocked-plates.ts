import { DatePipe } from "@angular/common";
import { ChangeDetectionStrategy, Component, inject, resource, signal } from "@angular/core";
import { FormsModule } from "@angular/forms";

import { Api } from "../api/api";
import {
  sitesList,
  vehiclesBlockedPlatesCreate,
  vehiclesBlockedPlatesList,
  vehiclesBlockedPlatesUpdate,
} from "../api/functions";
import type { ListedPlate } from "../api/models";
import { RefusalNote } from "../refusal";

const PAGE = 50;

@Component({
  selector: "app-blocked-plates",
  imports: [DatePipe, FormsModule, RefusalNote],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <h1>Blocked plates</h1>
    <form class="card row" aria-labelledby="add-title" (ngSubmit)="add()">
      <h2 id="add-title">Block a plate</h2>
      <label>Plate <input name="plate" required autocapitalize="characters" autocomplete="off" [(ngModel)]="plate" /></label>
      <label>Reason <input name="reason" required [(ngModel)]="reason" /></label>
      <label>
        Site
        <select name="site" required [(ngModel)]="site">
          <option value="" disabled>choose</option>
          @for (one of sites.value()?.results; track one.slug) { <option [value]="one.slug">{{ one.name }}</option> }
        </select>
      </label>
      <label>Until <input name="until" type="datetime-local" [(ngModel)]="until" /></label>
      <button class="first" [disabled]="isBusy() || !plate() || !reason() || !site()">Block</button>
      <app-refusal [error]="failure()" />
      <p role="status">{{ done() }}</p>
    </form>
    <app-refusal [error]="plates.error()" />
    @if (plates.hasValue()) {
      @let list = plates.value();
      <div class="scroll" tabindex="0" role="region" aria-label="Blocked plates">
        <table>
          <thead>
            <tr>
              <th scope="col">Plate</th><th scope="col">Site</th><th scope="col">Reason</th><th scope="col">Since</th>
              <th scope="col">Until</th><th scope="col">By</th><th scope="col"><span class="unseen">Actions</span></th>
            </tr>
          </thead>
          <tbody>
            @for (row of list.results; track row.id) {
              <tr>
                <th scope="row">{{ row.plate }}</th>
                <td>{{ row.site ?? "all" }}</td>
                <td>{{ row.reason }}</td>
                <td>{{ row.valid_from | date: "MMM d, HH:mm" }}</td>
                <td>{{ row.valid_until ? (row.valid_until | date: "MMM d, HH:mm") : "no end" }}</td>
                <td>{{ row.added_by }}</td>
                <td>
                  @if (isOver(row)) {
                    <span class="mark">{{ row.standing }}</span>
                  } @else {
                    <button type="button" [attr.aria-label]="'Expire ' + row.plate" (click)="expire(row)">Expire</button>
                  }
                </td>
              </tr>
            } @empty {
              <tr><td colspan="7">No plate is blocked.</td></tr>
            }
          </tbody>
        </table>
      </div>
      <p class="row pager">
        <button type="button" [disabled]="!list.previous" (click)="page.set(page() - 1)">Previous</button>
        <span>Page {{ page() }}</span>
        <button type="button" [disabled]="!list.next" (click)="page.set(page() + 1)">Next</button>
      </p>
    }
  `,
})
export class BlockedPlates {
  private readonly api = inject(Api);

  protected readonly plate = signal("");
  protected readonly reason = signal("");
  protected readonly site = signal("");
  protected readonly until = signal("");
  protected readonly page = signal(1);
  protected readonly isBusy = signal(false);
  protected readonly failure = signal<unknown>(null);
  protected readonly done = signal("");
  protected readonly sites = resource({ loader: () => this.api.invoke(sitesList, { page_size: 500 }) });
  protected readonly plates = resource({
    params: () => ({ page: this.page(), page_size: PAGE }),
    loader: ({ params }) => this.api.invoke(vehiclesBlockedPlatesList, params),
  });

  protected isOver(row: ListedPlate): boolean {
    return row.standing === "expired" || row.standing === "removed";
  }

  protected add(): Promise<void> {
    const body = {
      plate: this.plate(),
      reason: this.reason(),
      site: this.site(),
      valid_until: this.until() ? new Date(this.until()).toISOString() : null,
    };
    return this.change(async () => {
      const row = await this.api.invoke(vehiclesBlockedPlatesCreate, { body });
      this.plate.set("");
      this.reason.set("");
      this.until.set("");
      return `${row.plate} is blocked.`;
    });
  }

  protected expire(row: ListedPlate): Promise<void> {
    const body = { valid_until: new Date().toISOString() };
    return this.change(async () => {
      await this.api.invoke(vehiclesBlockedPlatesUpdate, { id: row.id, body });
      return `${row.plate} is free again.`;
    });
  }

  private async change(work: () => Promise<string>): Promise<void> {
    this.isBusy.set(true);
    this.failure.set(null);
    this.done.set("");
    try {
      this.done.set(await work());
    } catch (error) {
      this.failure.set(error);
    } finally {
      this.isBusy.set(false);
    }
    this.plates.reload();
  }
}
