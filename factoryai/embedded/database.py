"""Brings the database and the static files up to what the code needs, and says in words what is in the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DatabaseError, connection, connections

from factoryai.embedded.errors import CannotStartError

STATIC_STAMP = ".collected"
COMPLAINTS = {
    "database is locked": "Another program holds the database {name}. Stop it, then start again.",
    "not a database": "The file {name} is not a database. Move it away and put a copy from a backup in its place.",
    "malformed": "The database {name} is damaged. Move it away and put a copy from a backup in its place.",
    "readonly": "The database {name} cannot be written to. Give this user the right to the file and its folder.",
    "unable to open": "The database {name} cannot be opened. Give this user the right to the file and its folder.",
    "disk is full": "The disk is full: the database {name} cannot grow. Free some space, then start again.",
    "refused": "PostgreSQL does not answer. Start it, or correct DATABASE_URL, then start again.",
    "password authentication failed": "PostgreSQL refuses the user or the password of DATABASE_URL.",
}


@contextmanager
def complaints_in_words() -> Iterator[None]:
    """Turn what the database says into `CannotStartError`."""
    try:
        yield
    except DatabaseError as error:
        said = str(error).strip()
        name = connection.settings_dict["NAME"]
        words = next((text for sign, text in COMPLAINTS.items() if sign in said), "The database {name} does not work.")
        raise CannotStartError(
            f"{words.format(name=name)} (It says: {said.splitlines()[0] if said else 'nothing'}.)"
        ) from error


def is_empty() -> bool:
    """Whether this is the first start. Raises `CannotStartError`."""
    with complaints_in_words():
        return not connection.introspection.table_names()


def migrate() -> None:
    """Apply the migrations that are missing. Raises `CannotStartError`."""
    with complaints_in_words():
        call_command("migrate", verbosity=0, interactive=False)


def describe() -> str:
    """Return what the facts are kept in."""
    if connection.vendor == "sqlite":
        return f"SQLite, {Path(connection.settings_dict['NAME']).resolve()}"
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0]}"


def let_go() -> None:
    """Close the connections of this process: it only watches from now on."""
    connections.close_all()
    if pool_close := getattr(connection, "close_pool", None):
        pool_close()


def settle() -> None:
    """Fold SQLite's journal into its file, so that a copy of the file alone is whole; the children are gone by now."""
    if connection.vendor != "sqlite":
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except DatabaseError:
        return  # the journal stays, and is read at the next start
    finally:
        connection.close()


def collect_static() -> bool:
    """Copy the static files to where the web process serves them from, when any has changed; True when it did."""
    root = Path(settings.STATIC_ROOT)
    stamp, wanted = root / STATIC_STAMP, _static_fingerprint()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return False
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)  # by age alone it misses an older release
    stamp.write_text(wanted, encoding="utf-8")
    return True


def _static_fingerprint() -> str:
    """Return a digest of every static file's name, size and age."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            facts = Path(storage.path(name)).stat()
            digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
