"""A database of its own for a bench of the gate: SQLite in a folder that goes away."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def gate_database() -> Iterator[Path]:
    """Set Django up on a new database with every table, and yield its folder; once in a process."""
    from cryptography.fernet import Fernet

    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            DATABASE_URL=f"sqlite:///{Path(folder) / 'gate.sqlite3'}",
            FACTORYAI_DATA_DIR=folder,
            FACTORYAI_FIELD_KEY=Fernet.generate_key().decode(),
            DJANGO_SETTINGS_MODULE="factoryai.settings",
        )
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield Path(folder)
