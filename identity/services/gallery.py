"""The enrolled faces of a site in memory, kept right across processes by one counter in the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from django.db import DatabaseError, close_old_connections, transaction
from django.db.models import F

from identity.models import Face, GalleryVersion
from identity.recognisers.local import Gallery

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""How long a process may work with what it holds before it asks for the counter again."""

RELOAD_EVERY_S = 60.0
"""How long without a look at the rows themselves: who left or was switched off is not counted."""


def lock_gallery(site_id: int) -> GalleryVersion:
    """Lock the faces of a site until the transaction ends: of two enrolments of one face the second sees the first."""
    GalleryVersion.objects.get_or_create(site_id=site_id)
    return GalleryVersion.objects.select_for_update().get(site_id=site_id)


@transaction.atomic
def gallery_changed(site_id: int) -> None:
    """Tell every process, when the caller's transaction ends, that a site's faces have changed."""
    GalleryVersion.objects.get_or_create(site_id=site_id)
    GalleryVersion.objects.filter(site_id=site_id).update(number=F("number") + 1)
    gallery_for(site_id).forget()
    transaction.on_commit(gallery_for(site_id).forget)  # whoever looked meanwhile saw it as it was before


class LiveGallery:
    """The faces of one site. ``current`` is safe in any thread and never fails: without a database it is the last one.

    Only faces that came are read and opened; 100,000 take about 5 s once, and nothing afterwards.
    """

    def __init__(self, site_id: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.site_id = site_id
        self._clock = clock
        self._lock = threading.Lock()
        self._vectors: dict[int, tuple[str, np.ndarray]] = {}
        self._gallery = Gallery()
        self._version: int | None = None
        self._looked_at = self._loaded_at = float("-inf")
        self.names: dict[str, str] = {}

    def current(self) -> Gallery:
        """Return the gallery as of at most `LOOK_EVERY_S` ago."""
        with self._lock:
            now = self._clock()
            if now - self._looked_at >= LOOK_EVERY_S:
                self._look(now)
            return self._gallery

    def forget(self) -> None:
        """Ask the database at the next use."""
        self._looked_at = float("-inf")

    def _look(self, now: float) -> None:
        try:
            version = GalleryVersion.objects.filter(site_id=self.site_id).values_list("number", flat=True).first()
            if version != self._version or now - self._loaded_at >= RELOAD_EVERY_S:
                self._load()
                self._version, self._loaded_at = version, now
        except DatabaseError:
            log.warning("The enrolled faces cannot be read; the %d held are used.", len(self._vectors))
            _let_go_of_a_broken_connection()
        self._looked_at = now

    def _load(self) -> None:
        faces = Face.objects.searchable().filter(employee__site_id=self.site_id)
        owners = dict(faces.values_list("pk", "employee_id"))
        missing = [key for key in owners if key not in self._vectors]
        kept = {key: held for key, held in self._vectors.items() if owners.get(key) == int(held[0])}
        is_same = not missing and len(kept) == len(self._vectors)
        for start in range(0, len(missing), 500):
            rows = Face.objects.filter(pk__in=missing[start : start + 500]).only("pk", "employee_id", "embedding")
            kept.update((row.pk, (str(row.employee_id), row.embedding)) for row in rows)
        if not is_same:
            self._vectors, self._gallery = kept, Gallery(kept.values())
        people = faces.values_list("employee_id", "employee__name").distinct()
        self.names = {str(key): name for key, name in people}


def _let_go_of_a_broken_connection() -> None:
    if not transaction.get_connection().in_atomic_block:
        close_old_connections()


_galleries: dict[int, LiveGallery] = {}
_galleries_lock = threading.Lock()


def gallery_for(site_id: int) -> LiveGallery:
    """Return this process's one gallery of a site."""
    with _galleries_lock:
        return _galleries.setdefault(site_id, LiveGallery(site_id))


def forget_galleries() -> None:
    """Begin with empty galleries, as a process that has just started."""
    with _galleries_lock:
        _galleries.clear()


class Names(Mapping[str, str]):
    """The names to draw, by a person's id, as the gallery has them at this moment, whichever engine searches it."""

    def __init__(self, gallery: LiveGallery) -> None:
        self._gallery = gallery

    def __getitem__(self, person: str) -> str:
        return self._newest()[person]

    def __iter__(self) -> Iterator[str]:
        return iter(self._newest())

    def __len__(self) -> int:
        return len(self._newest())

    def _newest(self) -> dict[str, str]:
        self._gallery.current()
        return self._gallery.names
