import type { HttpErrorResponse, HttpInterceptorFn } from "@angular/common/http";
import { computed, inject, Injectable, signal } from "@angular/core";
import { Router } from "@angular/router";
import { catchError, from, switchMap, throwError } from "rxjs";

import { Api } from "./api/api";
import { ApiConfiguration } from "./api/api-configuration";
import { authRefresh, authToken } from "./api/functions";
import type { TokenPair } from "./api/models";
import { asRefusal, Refusal } from "./refusal";

const KEPT_AS = "factory-ai-session";
const EARLY_MS = 30_000;

interface Login extends TokenPair {
  username: string;
  expiresAt: number;
}

/**
 * Who is logged in. The tokens live in this tab only and end with it: `sessionStorage` survives a reload and is not
 * shared with other tabs. Keep the page free of foreign scripts, which could read it.
 */
@Injectable({ providedIn: "root" })
export class Session {
  private readonly api = inject(Api);
  private readonly router = inject(Router);
  private readonly login_ = signal<Login | null>(restored());
  private refreshing: Promise<string> | null = null;

  readonly username = computed(() => this.login_()?.username ?? "");
  readonly isOpen = computed(() => this.login_() !== null);

  async login(username: string, password: string): Promise<void> {
    this.keep(username, await this.api.invoke(authToken, { body: { username, password } }));
  }

  /** Forget the tokens and go to the login, which leads back to `next`. */
  async end(next?: string): Promise<void> {
    this.login_.set(null);
    sessionStorage.removeItem(KEPT_AS);
    await this.router.navigate(["/login"], next ? { queryParams: { next } } : {});
  }

  /** Return an access token that is good for a while. Throws a refusal when there is none to be had. */
  async token(): Promise<string> {
    const login = this.login_();
    if (!login) throw new Refusal("not_authenticated", "Log in first.", {}, 401);
    return login.expiresAt - EARLY_MS > Date.now() ? login.access : this.refresh();
  }

  /** Get a fresh access token; many callers at once share one request. */
  refresh(): Promise<string> {
    this.refreshing ??= this.fresh().finally(() => (this.refreshing = null));
    return this.refreshing;
  }

  private async fresh(): Promise<string> {
    const login = this.login_();
    if (!login) throw new Refusal("not_authenticated", "Log in first.", {}, 401);
    try {
      const answer = await this.api.invoke(authRefresh, { body: { refresh: login.refresh } });
      this.keep(login.username, { ...login, ...answer });
      return answer.access;
    } catch (error) {
      if (asRefusal(error).status === 401) await this.end(this.router.url);
      throw error;
    }
  }

  private keep(username: string, pair: TokenPair): void {
    const { access, refresh, expires_in } = pair;
    const login = { access, refresh, expires_in, username, expiresAt: Date.now() + expires_in * 1000 };
    sessionStorage.setItem(KEPT_AS, JSON.stringify(login));
    this.login_.set(login);
  }
}

function restored(): Login | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT_AS) ?? "null") as Login | null;
  } catch {
    return null;
  }
}

/** Interceptor: sends the token to our server and to nobody else; one that was refused is renewed and tried once more. */
export const withToken: HttpInterceptorFn = (request, next) => {
  const server = `${inject(ApiConfiguration).rootUrl}/api/v1/`;
  if (!request.url.startsWith(server) || request.url.startsWith(`${server}auth/`)) return next(request);
  const session = inject(Session);
  const send = (token: string) => next(request.clone({ setHeaders: { Authorization: `Bearer ${token}` } }));
  return from(session.token()).pipe(
    switchMap((token) =>
      send(token).pipe(
        catchError((error: HttpErrorResponse) =>
          error.status === 401 ? from(session.refresh()).pipe(switchMap(send)) : throwError(() => error),
        ),
      ),
    ),
  );
};
