"""A model field for face vectors: cipher text in the database, an array on the instance."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from factoryai.sealing import SealedTextField


class SealedVectorField(SealedTextField):
    """A float32 vector, sealed like a password; None and an empty vector stay empty.

    Being a `SealedTextField` it is sealed again by ``manage.py reseal`` when the key is rotated.
    """

    def get_prep_value(self, value: Any) -> str | None:
        if value is None or isinstance(value, str) or not len(value):
            return super().get_prep_value(value)
        return super().get_prep_value(base64.b64encode(np.asarray(value, np.float32).tobytes()).decode())

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        text = super().from_db_value(value, expression, connection)
        return np.frombuffer(base64.b64decode(text), np.float32) if text else None
