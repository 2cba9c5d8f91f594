"""Calls to the addresses of attendance, as somebody."""

from __future__ import annotations

import json
from typing import Any

from factoryai.sites.tests.factories import api_client

BASE = "/api/v1/attendance"
CHECK_IN = {"employee_code": "E1", "site": "pune", "check_in_time": "2026-03-02T08:06:12+05:30"}
CHECK_OUT = {"employee_code": "E1", "site": "pune", "check_out_time": "2026-03-02T16:00:00+05:30"}
SHIFT = {"site": "pune", "name": "Late", "starts_at": "14:00", "ends_at": "22:00", "effective_from": "2026-01-01"}


def post(user: Any, path: str, data: Any) -> Any:
    """Post plain ASCII, in which JSON can say what no text of UTF-8 holds."""
    return api_client(user).post(f"{BASE}/{path}", json.dumps(data), content_type="application/json")


def get(user: Any, path: str, **query: Any) -> Any:
    return api_client(user).get(f"{BASE}/{path}", query)


def flag_of(day: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(flag for flag in day["flags"] if flag["kind"] == kind)


def row(event_id: str, **change: Any) -> dict[str, Any]:
    return {
        "event_id": event_id, "site": "pune", "employee_code": "E1", "at": "2026-03-02T08:06:12+05:30",
        "direction": "in", "source": "gate-1", **change,
    }  # fmt: skip
