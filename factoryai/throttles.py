"""How often one account may ask the API. Counted by account, not by address: a factory stands behind one address.

Logging in is counted by name and address together, by django-axes. The counts live in this web process: with several,
each grants the whole rate, which still ends a program that runs wild.
"""

from __future__ import annotations

import time
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

WINDOW_S: Final = 60


class PerAccount(BaseThrottle):
    """At most `settings.API_RATE` requests a minute, and fewer where a view's ``rates`` names the action."""

    def allow_request(self, request: Request, view: Any) -> bool:
        self._now = time.time()
        if not (request.user and request.user.is_authenticated):
            return True  # who is not logged in is refused by the permission
        action = getattr(view, "action", None) or ""
        special = getattr(view, "rates", {}).get(action)
        return self._is_within(f"api:{request.user.pk}", settings.API_RATE) and (
            special is None or self._is_within(f"api:{request.user.pk}:{type(view).__name__}.{action}", special)
        )

    def _is_within(self, name: str, rate: int) -> bool:
        """Count a request; whether it is one of the first ``rate`` of this minute. 0 is no limit."""
        if not rate:
            return True
        key = f"{name}:{int(self._now // WINDOW_S)}"
        if cache.add(key, 1, 2 * WINDOW_S):
            return True
        return cache.incr(key) <= rate

    def wait(self) -> float:
        """Return the seconds until the next minute begins."""
        return WINDOW_S - self._now % WINDOW_S
