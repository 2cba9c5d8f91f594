import { inject } from "@angular/core";
import { type CanActivateFn, Router, type Routes } from "@angular/router";

import { Session } from "./session";

const onlyLoggedIn: CanActivateFn = (_route, state) =>
  inject(Session).isOpen() || inject(Router).createUrlTree(["/login"], { queryParams: { next: state.url } });

export const routes: Routes = [
  { path: "login", title: "Log in · Factory AI", loadComponent: () => import("./pages/login").then((m) => m.Login) },
  {
    path: "",
    canActivate: [onlyLoggedIn],
    children: [
      {
        path: "",
        pathMatch: "full",
        title: "Now · Factory AI",
        loadComponent: () => import("./pages/dashboard").then((m) => m.Dashboard),
      },
      {
        path: "attendance",
        title: "Attendance · Factory AI",
        loadComponent: () => import("./pages/attendance").then((m) => m.Attendance),
      },
      {
        path: "blocked-plates",
        title: "Blocked plates · Factory AI",
        loadComponent: () => import("./pages/blocked-plates").then((m) => m.BlockedPlates),
      },
    ],
  },
  { path: "**", redirectTo: "" },
];
