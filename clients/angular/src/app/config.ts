import { provideHttpClient, withInterceptors } from "@angular/common/http";
import { type ApplicationConfig, inject, provideAppInitializer, provideBrowserGlobalErrorListeners } from "@angular/core";
import { provideRouter, withComponentInputBinding } from "@angular/router";

import { ApiConfiguration } from "./api/api-configuration";
import { asRefusal, refusals } from "./refusal";
import { routes } from "./routes";
import { withToken } from "./session";

/** Read where the server is, so that one build serves every factory: `{"server": "https://factory.example.com"}`. */
async function readConfig(): Promise<void> {
  const api = inject(ApiConfiguration);
  const answer = await fetch("config.json", { cache: "no-store" });
  const { server } = (await answer.json()) as { server: string };
  api.rootUrl = server || location.origin;
}

export const config: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideRouter(routes, withComponentInputBinding()),
    provideHttpClient(withInterceptors([refusals, withToken])),
    provideAppInitializer(() => readConfig().catch((error: unknown) => console.error(asRefusal(error)))),
  ],
};
