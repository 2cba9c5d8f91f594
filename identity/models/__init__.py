"""Who works here, by which photos they are known, and which faces were seen."""

from __future__ import annotations

from identity.models.faces import CameraFaces, Face, GalleryVersion, PaidRequests, RemoteFace
from identity.models.people import Consent, Employee
from identity.models.sightings import Sighting, UnknownFace
from identity.models.snapshots import PurgeRun, Retention, Snapshot, file_name_of

__all__ = [
    "CameraFaces",
    "Consent",
    "Employee",
    "Face",
    "GalleryVersion",
    "PaidRequests",
    "PurgeRun",
    "RemoteFace",
    "Retention",
    "Sighting",
    "Snapshot",
    "UnknownFace",
    "file_name_of",
]
