"""Encryption at rest for camera passwords, photos and embeddings, with keys kept outside the database.

``FACTORYAI_FIELD_KEY`` may name several Fernet keys, newest first: the first seals, all of them unseal, so a key is
rotated by putting the next one in front and running ``python manage.py reseal``.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


class SealBrokenError(Exception):
    """A sealed value that none of the configured keys opens."""


def _keyring() -> MultiFernet:
    if not settings.FIELD_KEYS:
        raise ImproperlyConfigured(
            "FACTORYAI_FIELD_KEY: no key to seal secrets with. Start once with `python manage.py up`, or set it."
        )
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])


def seal(data: bytes) -> bytes:
    """Encrypt ``data`` with the newest key."""
    return _keyring().encrypt(data)


def unseal(token: bytes) -> bytes:
    """Decrypt what `seal` made; raises `SealBrokenError` when no key fits."""
    try:
        return _keyring().decrypt(token)
    except InvalidToken as error:
        raise SealBrokenError("no configured key opens this value") from error


class SealedTextField(models.TextField):
    """Text that is cipher text in the database and plain text on the instance; empty text stays empty."""

    def get_prep_value(self, value: str | None) -> str | None:
        return seal(value.encode()).decode() if value else value

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        return unseal(value.encode()).decode() if value else value
