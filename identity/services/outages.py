"""Telling people when the face service elsewhere does not do its work, once, and when it does again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.db import DatabaseError
from django.utils import timezone

from factoryai.alerts.models import Severity
from factoryai.alerts.services import close_alert, raise_alert
from factoryai.sites.models import Site
from identity.recognisers.base import PermanentError, RecogniserError

log = logging.getLogger(__name__)

KEY = "face-service"
SAY_AGAIN_S = 600.0
"""How long this process keeps quiet about the same trouble; the alert is one and the same in any case."""


class ServiceWatch:
    """What one process has seen of the service for one site. Never raises: an alert must not cost a sighting."""

    def __init__(self, site_id: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._site_id, self._clock = site_id, clock
        self._told_at: float | None = None
        self._code = ""
        self._lock = threading.Lock()

    def failed(self, error: RecogniserError) -> None:
        """Note a failure; log it, and raise an alert when the trouble is another than before or has lasted."""
        log.warning("Rekognition did not decide (%s); the local engine does.", error.code)
        with self._lock:
            is_said = self._told_at is not None and self._clock() - self._told_at < SAY_AGAIN_S
            if is_said and error.code in (self._code, "circuit_open"):
                return
            self._told_at, self._code = self._clock(), error.code
        self._tell(lambda site: _raise(site, error))

    def answered(self) -> None:
        """Note an answer; close the alert if this process raised it."""
        with self._lock:
            if self._told_at is None:
                return
            self._told_at, self._code = None, ""
        note = "The service answers again."
        self._tell(lambda site: close_alert(site=site, key=KEY, at=timezone.now(), note=note))

    def _tell(self, act: Callable[[Site], object]) -> None:
        try:
            act(Site.objects.get(pk=self._site_id))
        except (DatabaseError, Site.DoesNotExist):
            log.warning("Nobody could be told how the face service does.")


def _raise(site: Site, error: RecogniserError) -> None:
    raise_alert(
        site=site,
        kind="face_service",
        severity=Severity.WARNING,
        title="Faces are recognised locally: Rekognition does not decide",
        detail=f"{error.code}: {error}" + (" Check the keys and the clock." if _is_of_keys(error) else ""),
        key=KEY,
        at=timezone.now(),
    )


def _is_of_keys(error: RecogniserError) -> bool:
    return isinstance(error, PermanentError) and error.opens_circuit
