"""Alerts as the tests need them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from factoryai.alerts.models import Alert, Channel
from factoryai.alerts.services import raise_alert
from factoryai.sites.models import Site

NOON = dt.datetime(2026, 3, 2, 6, 30, tzinfo=dt.UTC)
"""Noon of a Monday in Pune."""


def blocked_plate(site: Site, **changes: Any) -> Alert:
    """Raise the alert of a blocked vehicle at the gate."""
    facts = {
        "kind": "blocked_plate",
        "severity": "critical",
        "title": "MH12AB1234 is at the gate",
        "detail": "Theft of material",
        "key": "visit-1",
        "at": NOON,
    }
    return raise_alert(site=site, **{**facts, **changes})


def webhook(site: Site, target: str = "http://127.0.0.1:9/alerts", **changes: Any) -> Channel:
    """Add a webhook that hears every alert of operations at once."""
    facts = {"name": "Guard room", "kind": "webhook", "target": target, "min_severity": "info"}
    return Channel.objects.create(site=site, **{**facts, **changes})
