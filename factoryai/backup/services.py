"""The verbs: make an archive of everything while it runs, and put one back whole or not at all.

Secrets, photos, vectors and pictures are in it as they are in the database and the files: sealed. The keys are not,
unless asked for; an archive is restored only where the key is that opens it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from factoryai.backup import archive, postgres, sqlite
from factoryai.backup.errors import BackupError
from factoryai.embedded.errors import CannotStartError
from factoryai.embedded.folder import KEY_FILES, Occupied, write_private
from factoryai.sealing import seal
from factoryai.sites.models import Site
from identity.files import FolderFiles, media_files
from identity.services.snapshots import Check, check_snapshots

FORMAT = 1
CANARY = b"factoryai"
MEDIA = "media/"
KEYS = "keys/"


@dataclass(frozen=True, slots=True)
class Made:
    """What an archive holds."""

    size_bytes: int
    pictures: int
    has_keys: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back. ``kept`` are the names that what was there before has now."""

    made_at: str
    pictures: int
    kept: Sequence[str]
    check: Check


def make_backup(*, target: Path, at: dt.datetime, with_keys: bool = False, is_forced: bool = False) -> Made:
    """Write everything into ``target``; facts of one instant, then the pictures. Raises `BackupError`.

    It may run while everything runs, and holds nobody up. A picture purged meanwhile is passed over.
    """
    manifest = _manifest(at)
    if with_keys and len(_key_files()) < len(KEY_FILES):
        raise BackupError("no_keys", f"The keys are not in {settings.DATA_DIR}: back up the secrets they come from.")
    try:
        with archive.create(target, is_forced=is_forced) as writer:
            _dump(writer, target.parent, manifest)
            pictures = _add_pictures(writer)
            for path in _key_files() if with_keys else []:
                writer.add_bytes(f"{KEYS}{path.name}", path.read_bytes())
            writer.add_bytes(archive.MANIFEST, json.dumps(manifest).encode())
    except (OSError, DatabaseError) as error:
        raise BackupError("failed", f"The backup was not made, and nothing is left of it: {error}") from error
    return Made(target.stat().st_size, pictures, with_keys)


def _manifest(at: dt.datetime) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "made_at": at.isoformat(timespec="seconds"),
        "engine": connection.vendor,
        "migrations": sorted(MigrationRecorder(connection).applied_migrations()),
        "canary": seal(CANARY).decode(),
        "media": str(settings.MEDIA_PLACE),
    }


def _dump(writer: archive.Writer, folder: Path, manifest: dict[str, Any]) -> None:
    if connection.vendor == "sqlite":
        sqlite.dump(writer, folder, Path(connection.settings_dict["NAME"]))
    else:
        postgres.dump(writer, folder, manifest)


def _key_files() -> list[Path]:
    return [path for name in KEY_FILES if (path := settings.DATA_DIR / name).is_file()]


def _add_pictures(writer: archive.Writer) -> int:
    """Add the sealed files as they are; those of a bucket stay there, which has its own ways of keeping."""
    place, count = media_files(), 0
    if not isinstance(place, FolderFiles):
        return 0
    for entry in place.entries():
        if entry.is_ours:
            try:
                data = place.read(entry.name)
            except FileNotFoundError:
                continue
            writer.add_bytes(f"{MEDIA}{entry.name}", data, entry.modified_at)
            count += 1
    return count


def restore_backup(*, source: Path, at: dt.datetime, is_forced: bool = False) -> Restored:
    """Put an archive in the place of what is there. Everything that can be refused is refused before any change.

    ``is_forced`` replaces an installation that is not empty. What was there of SQLite and of pictures is kept beside
    under another name; PostgreSQL is replaced in one transaction. Raises `BackupError`.
    """
    manifest = archive.verify(source)
    _check_fits(manifest)
    _check_place()
    _check_key(source, manifest)
    suffix = f".before-{at:%Y%m%dT%H%M%S}"
    with ExitStack() as held, archive.read(source) as tar:
        _check_nobody_works(held)
        is_empty = _is_empty()
        if not is_forced and not is_empty:
            raise BackupError(
                "not_empty", "This installation has data. Say --force to put the backup in its place. Nothing changed."
            )
        _restore_keys(tar)
        staged = _stage_pictures(tar)
        kept = _load(tar, manifest, "" if is_empty else suffix)
        kept += _place_pictures(staged, suffix)
        connections.close_all()
        call_command("migrate", verbosity=0, interactive=False)
        # Of a folder only what the archive had is there; a bucket may have newer pictures, which stay.
        check = check_snapshots(at=at, is_repair=isinstance(media_files(), FolderFiles))
    return Restored(manifest["made_at"], check.files - len(check.orphans), kept, check)


def _check_fits(manifest: Mapping[str, Any]) -> None:
    if manifest.get("format") != FORMAT:
        raise BackupError("newer", "This backup was made by a newer version. Install that one, then restore.")
    if manifest["engine"] != connection.vendor:
        names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        raise BackupError(
            "other_engine",
            f"This backup is of {names[manifest['engine']]}, this installation is on {names[connection.vendor]}. "
            "Restore it where DATABASE_URL names the same kind.",
        )
    known = set(MigrationLoader(None).disk_migrations)
    ours = {app.label for app in apps.get_app_configs()}
    strange = [f"{app}.{name}" for app, name in manifest["migrations"] if app in ours and (app, name) not in known]
    if strange:
        raise BackupError("newer", f"This backup needs a newer version ({strange[0]}). Install that one, then restore.")


def _check_place() -> None:
    place = media_files()
    if isinstance(place, FolderFiles) and os.path.ismount(place.root):
        raise BackupError(
            "mount_point",
            f"{place.root} is a mount point, which cannot be put aside. Name a folder inside it: FACTORYAI_MEDIA_URL.",
        )


def _check_nobody_works(held: ExitStack) -> None:
    """Take the data folder as `up` does, and see that no service is connected to the database."""
    occupied = Occupied(settings.DATA_DIR)
    try:
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        occupied.take("restoring a backup")
    except CannotStartError as refusal:
        raise BackupError("running", str(refusal)) from refusal
    held.callback(occupied.release)
    if connection.vendor == "postgresql" and postgres.is_used():
        raise BackupError(
            "running", "Other programs are connected to the database. Stop web, worker, beat and cameras first."
        )


def _is_empty() -> bool:
    """Whether nobody has begun to use the installation: no tables yet, or neither site nor user."""
    tables = set(connection.introspection.table_names())
    if Site._meta.db_table not in tables:
        return True
    return not (Site.objects.exists() or get_user_model().objects.exists())


def _restore_keys(tar: tarfile.TarFile) -> None:
    """Put the keys of an archive where there are none; existing ones are never replaced."""
    for name in KEY_FILES:
        path, key = settings.DATA_DIR / name, _key_in(tar, name)
        if key and not path.exists():
            write_private(path, key)
        if key and name == "field.key" and not settings.FIELD_KEYS:
            settings.FIELD_KEYS = [key]


def _key_in(tar: tarfile.TarFile, name: str) -> str:
    """Return a key that an archive holds, or nothing."""
    try:
        return tar.extractfile(f"{KEYS}{name}").read().decode().strip()
    except KeyError:
        return ""


def _opens(key: str, sealed: str) -> bool:
    try:
        return Fernet(key).decrypt(sealed.encode()) == CANARY
    except InvalidToken:
        return False


def _check_key(source: Path, manifest: Mapping[str, Any]) -> None:
    """See that what is in the archive can be opened: by the keys here, or where there are none, by its own."""
    keys = settings.FIELD_KEYS
    if not keys:
        with archive.read(source) as tar:
            keys = [key for key in (_key_in(tar, "field.key"),) if key]
    if not any(_opens(key, manifest["canary"]) for key in keys):
        raise BackupError(
            "other_key",
            "The key here does not open this backup. Put the field.key it was made with into "
            f"{settings.DATA_DIR} (or into FACTORYAI_FIELD_KEY) first. Nothing was changed.",
        )


def _load(tar: tarfile.TarFile, manifest: Mapping[str, Any], suffix: str) -> list[str]:
    try:
        if connection.vendor == "sqlite":
            connection.close()
            path = Path(connection.settings_dict["NAME"])
            kept_as = path.with_name(f"{path.name}{suffix}") if suffix else None
            sqlite.load(tar, path, kept_as=kept_as)
            return [kept_as.name] if kept_as else []
        postgres.load(tar, manifest)
    except (OSError, DatabaseError) as error:
        raise BackupError("failed", f"The database could not be put back; it is as it was. {error}") from error
    return []


def _stage_pictures(tar: tarfile.TarFile) -> Path | None:
    """Unpack the pictures beside their place; None when the archive has none or they live in a bucket."""
    place = media_files()
    if not isinstance(place, FolderFiles):
        return None
    staged = place.root.with_name(f"{place.root.name}.restoring")
    shutil.rmtree(staged, ignore_errors=True)  # of a run that was killed
    files = FolderFiles(staged)
    for member in tar:
        if member.name.startswith(MEDIA):
            name = member.name.removeprefix(MEDIA)
            files.write(name, tar.extractfile(member).read())
            os.utime(staged / name, (member.mtime, member.mtime))
    return staged


def _place_pictures(staged: Path | None, suffix: str) -> list[str]:
    if staged is None or not staged.exists():
        return []
    root = media_files().root
    kept = root.with_name(f"{root.name}{suffix}")
    had_some = root.exists() and any(root.iterdir())
    if root.exists():
        root.replace(kept) if had_some else root.rmdir()
    staged.replace(root)
    return [kept.name] if had_some else []
