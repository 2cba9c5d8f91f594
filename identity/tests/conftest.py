"""Every test begins with a folder of its own for pictures, and as a process that has enrolled nobody yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.services import gallery


@pytest.fixture(autouse=True)
def fresh_identity(settings: object, tmp_path: Path) -> Iterator[None]:
    settings.MEDIA_PLACE = str(tmp_path / "media")  # type: ignore[attr-defined]
    gallery.forget_galleries()
    yield
    gallery.forget_galleries()
