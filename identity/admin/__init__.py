"""People and faces in the admin."""

from identity.admin import faces, people

__all__ = ["faces", "people"]
