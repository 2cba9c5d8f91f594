import { ChangeDetectionStrategy, Component, inject } from "@angular/core";
import { RouterLink, RouterLinkActive, RouterOutlet } from "@angular/router";

import { Live } from "./live";
import { Session } from "./session";

@Component({
  selector: "app-root",
  imports: [RouterLink, RouterLinkActive, RouterOutlet],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <a class="skip" href="#main" (click)="main.focus(); $event.preventDefault()">Skip to the content</a>
    @if (session.isOpen()) {
      <header>
        <nav aria-label="Pages">
          <a routerLink="/" routerLinkActive="here" ariaCurrentWhenActive="page" [routerLinkActiveOptions]="{ exact: true }">Now</a>
          <a routerLink="/attendance" routerLinkActive="here" ariaCurrentWhenActive="page">Attendance</a>
          <a routerLink="/blocked-plates" routerLinkActive="here" ariaCurrentWhenActive="page">Blocked plates</a>
        </nav>
        <p class="standing" role="status">
          @switch (live.state()) {
            @case ("live") { <span class="mark good">● Live</span> }
            @case ("lost") { <span class="mark bad">▲ Not live: the connection is lost and tried again</span> }
            @default { <span class="mark">○ Connecting</span> }
          }
        </p>
        <p>{{ session.username() }} <button type="button" (click)="session.end()">Log out</button></p>
      </header>
    }
    <main #main id="main" tabindex="-1"><router-outlet /></main>
  `,
})
export class App {
  protected readonly session = inject(Session);
  protected readonly live = inject(Live);
}
