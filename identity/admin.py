"""People and faces in the administration; each file registers its own."""

from identity import face_admin

__all__ = ["face_admin"]
