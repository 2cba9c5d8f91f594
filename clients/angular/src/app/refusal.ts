import { HttpErrorResponse, type HttpInterceptorFn } from "@angular/common/http";
import { ChangeDetectionStrategy, Component, computed, input } from "@angular/core";
import { catchError, throwError } from "rxjs";

import type { Error as Problem } from "./api/models";

/** A no of the server: `code` is for the program, `message` for people, `fields` names what to mend. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly code: string,
    message: string,
    readonly fields: Problem["fields"] = {},
    readonly status = 0,
  ) {
    super(message);
  }
}

/** Turn whatever was thrown into a refusal. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof Error && error.cause instanceof Refusal) return error.cause;
  if (!(error instanceof HttpErrorResponse)) return new Refusal("client_error", String(error));
  const body = error.error as Partial<Problem> | null;
  if (body?.code && body.message) return new Refusal(body.code, body.message, body.fields, error.status);
  if (error.status === 0) return new Refusal("unreachable", "The server cannot be reached. Check the network.");
  return new Refusal(`http_${error.status}`, "The server answered something unexpected.", {}, error.status);
}

/** Interceptor: every failed request ends in a `Refusal`. */
export const refusals: HttpInterceptorFn = (request, next) =>
  next(request).pipe(catchError((error: unknown) => throwError(() => asRefusal(error))));

/** What went wrong, with its code, so that a caller on the phone can name it. */
@Component({
  selector: "app-refusal",
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    @if (refusal(); as no) {
      <div class="refusal" role="alert">
        <p>{{ no.message }} <code>{{ no.code }}</code></p>
        @for (field of fields(); track field.name) {
          <p><b>{{ field.name }}</b>: {{ field.texts.join(" ") }}</p>
        }
      </div>
    }
  `,
})
export class RefusalNote {
  readonly error = input.required<unknown>();
  protected readonly refusal = computed(() => (this.error() ? asRefusal(this.error()) : null));
  protected readonly fields = computed(() => {
    const fields = Object.entries(this.refusal()?.fields ?? {});
    return fields.length > 1 ? fields.map(([name, texts]) => ({ name, texts })) : [];
  });
}
