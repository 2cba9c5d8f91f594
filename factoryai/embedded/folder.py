"""The data folder of an installation: private to its user, used by one `up` at a time, with keys made once."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from cryptography.fernet import Fernet

from factoryai.embedded.errors import CannotStartError

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
KEY_FILES = {"secret.key": lambda: secrets.token_urlsafe(48), "field.key": lambda: Fernet.generate_key().decode()}
"""What signs sessions and tokens, and what seals passwords, photos and embeddings."""


def prepare(folder: Path) -> None:
    """Make ``folder`` with its log folder, and prove that it can be written to. Raises `CannotStartError`."""
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        (folder / "logs").mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch(mode=PRIVATE_FILE)
        probe.unlink()
    except OSError as error:
        raise CannotStartError(
            f"The data folder {folder} cannot be written to ({error.strerror}). "
            "Give this user the right to it, or name another folder with --data-dir."
        ) from error


def make_keys(folder: Path) -> list[str]:
    """Make the keys that ``folder`` lacks, readable by its user only; return the names of those made."""
    return [name for name, generate in KEY_FILES.items() if write_once(folder / name, generate())]


def make_service_secrets(folder: Path) -> list[str]:
    """Make the secret files of `docker-compose.yml` that are lacking; return the names of those made.

    The folder keeps everybody else out. The files in it are readable, for each is shown to services of another user.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(PRIVATE_FOLDER)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    made = make_keys(folder)
    if write_once(folder / "postgres.password", secrets.token_urlsafe(24)):
        made.append("postgres.password")
    password = (folder / "postgres.password").read_text(encoding="utf-8").strip()
    if write_once(folder / "database.url", f"postgresql://factoryai:{password}@postgres:5432/factoryai"):
        made.append("database.url")
    for name in made:
        (folder / name).chmod(0o444)
    return made


def write_once(path: Path, text: str) -> bool:
    """Write ``text`` to a private file that does not exist yet, whole or not at all; False when it exists."""
    part = path.with_name(f".{path.name}-{os.getpid()}")
    write_private(part, text)
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    finally:
        part.unlink()
    return True


def write_private(path: Path, text: str) -> None:
    """Write ``text`` to a file that only its user can read, in place of what was there."""
    part = path.with_name(f".{path.name}-part-{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


class Occupied:
    """Holds the data folder for one `up`: a lock that the kernel releases when its holder ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "up.lock"
        self._file: TextIO | None = None

    def take(self, address: str) -> None:
        """Take the folder for the server at ``address``. Raises `CannotStartError` when another `up` has it."""
        file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE), "r+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read_holder(file)
            file.close()
            raise CannotStartError(
                f"Factory AI already runs on this data: process {holder.get('pid', 'unknown')}, "
                f"{holder.get('address', 'address unknown')}. Nothing was changed. "
                "Stop that one first (Ctrl-C), or name another folder with --data-dir."
            ) from None
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "address": address}, file)
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file:
            self._file.close()
            self._file = None


def _read_holder(file: TextIO) -> Mapping[str, object]:
    try:
        return json.load(file)
    except ValueError:
        return {}
