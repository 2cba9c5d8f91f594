"""People and faces in the admin."""

from identity.admin import erasure, faces, people, sightings, snapshots

__all__ = ["erasure", "faces", "people", "sightings", "snapshots"]
