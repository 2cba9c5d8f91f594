import { ChangeDetectionStrategy, Component, inject, input, signal } from "@angular/core";
import { FormsModule } from "@angular/forms";
import { Router } from "@angular/router";

import { RefusalNote } from "../refusal";
import { Session } from "../session";

@Component({
  selector: "app-login",
  imports: [FormsModule, RefusalNote],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <h1>Log in</h1>
    <form class="card narrow" (ngSubmit)="submit()">
      <label>Name <input name="username" autocomplete="username" required [(ngModel)]="username" /></label>
      <label>
        Password <input name="password" type="password" autocomplete="current-password" required [(ngModel)]="password" />
      </label>
      <app-refusal [error]="error()" />
      <button class="first" [disabled]="isBusy()">Log in</button>
    </form>
  `,
})
export class Login {
  private readonly session = inject(Session);
  private readonly router = inject(Router);

  /** Where to go afterwards, from the address. */
  readonly next = input<string>();
  protected readonly username = signal("");
  protected readonly password = signal("");
  protected readonly error = signal<unknown>(null);
  protected readonly isBusy = signal(false);

  protected async submit(): Promise<void> {
    this.isBusy.set(true);
    this.error.set(null);
    try {
      await this.session.login(this.username(), this.password());
      await this.router.navigateByUrl(this.next() ?? "/");
    } catch (error) {
      this.error.set(error);
      this.password.set("");
    } finally {
      this.isBusy.set(false);
    }
  }
}
