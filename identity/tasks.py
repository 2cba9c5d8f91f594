"""Jobs of identity; each may run twice or be killed half-way."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from factoryai.jobs.services import job
from identity import purge, unknowns


@job("identity.purge_snapshots")
def purge_snapshots() -> dict[str, Any]:
    return purge.purge_snapshots(at=timezone.now()).as_dict()


@job("identity.forget_unknown_faces")
def forget_unknown_faces() -> dict[str, int]:
    before = timezone.now() - dt.timedelta(days=purge.DEFAULT_DAYS)
    return {"forgotten": unknowns.forget_unknowns(before=before)}
