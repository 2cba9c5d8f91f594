"""Employees, snapshots and faces for tests."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from factoryai.sites.models import Site
from identity.files import Files
from identity.models import Consent, Employee, Face, Snapshot, UnknownFace
from identity.rules import SFACE
from identity.services.snapshots import keep_snapshot

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
_numbers = itertools.count(1)


def make_employee(site: Site, name: str = "Ravi Kumar", *, has_consent: bool = True, **fields: Any) -> Employee:
    """Return an employee who agreed to be recognised, unless told otherwise."""
    employee = Employee.objects.create(site=site, name=name, **{"code": f"E{next(_numbers)}", **fields})
    if has_consent:
        Consent.objects.create(
            employee=employee, basis="consent", notice_version="1", given_date=NOON.date(), recorded_at=NOON
        )
    return employee


def jpeg_of(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


JPEG = jpeg_of(np.full((16, 16, 3), 90, np.uint8))


def make_snapshot(
    site: Site, *, days_old: float = 0, kind: str = "sighting", files: Files | None = None, **fields: Any
):
    """Return a stored snapshot that is ``days_old`` at `NOON`."""
    captured_at = NOON - dt.timedelta(days=days_old)
    snapshot = keep_snapshot(
        jpeg=JPEG, site=site, kind=kind, reason="test", captured_at=captured_at, at=captured_at, files=files
    )
    if fields:
        Snapshot.objects.filter(pk=snapshot.pk).update(**fields)
        snapshot.refresh_from_db()
    return snapshot


def unit(seed: int) -> np.ndarray:
    """Return a unit vector that resembles no other seed's."""
    vector = np.random.default_rng(seed).normal(size=128).astype(np.float32)
    return vector / np.linalg.norm(vector)


def make_face(employee: Employee, vector: np.ndarray | None = None, files: Files | None = None) -> Face:
    """Return an enrolled face with a given vector."""
    number = next(_numbers)
    return Face.objects.create(
        employee=employee, embedding=unit(number) if vector is None else vector, engine=SFACE.engine,
        model_version=SFACE.model, snapshot=make_snapshot(employee.site, kind="enrolment", files=files), quality=0.9,
        width_px=120, sharpness=300, brightness=120, turn=0.1, added_at=NOON,
    )  # fmt: skip


def make_unknown(site: Site, vector: np.ndarray | None = None, **fields: Any) -> UnknownFace:
    """Return an open unknown face."""
    defaults = {"first_seen_at": NOON, "last_seen_at": NOON, "times_seen": 1, "model_version": SFACE.model}
    mean = unit(next(_numbers)) if vector is None else vector
    return UnknownFace.objects.create(site=site, mean=mean, **{**defaults, **fields})


def quick_folder() -> Path:
    """Make a folder in memory where there is one: a property writes hundreds of files, each synced to the disk."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="factoryai-", dir=memory if os.access(memory, os.W_OK) else None))
