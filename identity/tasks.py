"""Jobs of identity; each may run twice or be killed half-way."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from factoryai.jobs.services import job
from identity import purge


@job("identity.purge_snapshots")
def purge_snapshots() -> dict[str, Any]:
    return purge.purge_snapshots(at=timezone.now()).as_dict()
