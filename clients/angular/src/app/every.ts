import { DestroyRef, inject, type Signal, signal } from "@angular/core";

/** A number that grows every `ms` while the page is seen, and when it is seen again: for what is asked again. */
export function every(ms: number): Signal<number> {
  const count = signal(0);
  const grow = () => {
    if (!document.hidden) count.update((before) => before + 1);
  };
  const timer = setInterval(grow, ms);
  document.addEventListener("visibilitychange", grow);
  inject(DestroyRef).onDestroy(() => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", grow);
  });
  return count.asReadonly();
}
