"""Jobs of what joins the features."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from factoryai.jobs.services import job
from factoryai.pipeline import catch_up_punches

LOOK_BACK = dt.timedelta(hours=24)


@job("pipeline.catch_up")
def catch_up() -> dict[str, int]:
    """Make the punches of recognised faces that have none yet."""
    return {"punches": catch_up_punches(since=timezone.now() - LOOK_BACK)}
