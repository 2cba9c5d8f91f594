"""The archive: a tar file whose last member holds the checksums of all others, so that half of one is known as such.

It is written into a file without a name, which the kernel forgets with its writer, and gets its name when it is whole.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from factoryai.backup.errors import BackupError

MANIFEST = "manifest.json"
CHECKSUMS = "checksums.json"
PRIVATE = 0o600
BLOCK = 1024 * 1024


class Writer:
    """Adds members to an archive that has no name yet."""

    def __init__(self, file: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w|")  # noqa: SIM115  closed by finish
        self._sums: dict[str, str] = {}

    def add_bytes(self, name: str, data: bytes, modified_at: float = 0.0) -> None:
        self.add(name, io.BytesIO(data), len(data), modified_at)

    def add(self, name: str, source: IO[bytes], size: int, modified_at: float = 0.0) -> None:
        """Add exactly ``size`` bytes of ``source``."""
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, PRIVATE, int(modified_at)
        summed = _Summed(source)
        self._tar.addfile(info, summed)
        self._sums[name] = summed.digest

    def finish(self) -> None:
        data = json.dumps(self._sums).encode()
        info = tarfile.TarInfo(CHECKSUMS)
        info.size, info.mode = len(data), PRIVATE
        self._tar.addfile(info, io.BytesIO(data))
        self._tar.close()


class _Summed:
    """A reader that sums what passes."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self._hash = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._hash.update(data)
        return data

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def nameless(folder: Path) -> Iterator[IO[bytes]]:
    """Give a private file in ``folder`` that is gone with this process, however it ends."""
    path = folder / f".factoryai-{secrets.token_hex(8)}"
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE), "w+b") as file:
        path.unlink()
        yield file


@contextmanager
def create(target: Path, *, is_forced: bool) -> Iterator[Writer]:
    """Give a writer whose archive becomes ``target`` when the block ends well. Raises `BackupError` ``exists``."""
    if target.exists() and not is_forced:
        raise BackupError("exists", f"{target} exists already. Name another file, or say --force to replace it.")
    with _unnamed(target.parent) as file:
        writer = Writer(file)
        yield writer
        writer.finish()
        file.flush()
        os.fsync(file.fileno())
        _name(file, target, is_forced=is_forced)


@contextmanager
def _unnamed(folder: Path) -> Iterator[IO[bytes]]:
    try:
        descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR, PRIVATE)
    except OSError as error:
        hint = "Give this user the right to it, or name a file on a local disk (ext4, xfs, btrfs, tmpfs)."
        raise BackupError(
            "no_place", f"No archive can be written in {folder} ({os.strerror(error.errno)}). {hint}"
        ) from error
    with os.fdopen(descriptor, "w+b") as file:
        yield file


def _name(file: IO[bytes], target: Path, *, is_forced: bool) -> None:
    """Give the whole file its name; a file that came there meanwhile is not replaced unasked."""
    beside = target.with_name(f".{target.name}-{secrets.token_hex(4)}") if is_forced else target
    try:
        _link(file, beside)
    except FileExistsError as error:
        raise BackupError("exists", f"{target} was made by another program meanwhile.") from error
    if is_forced:
        beside.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _link(file: IO[bytes], path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # A descriptor of the folder makes Python call linkat, which alone can follow the link in /proc.
        os.link(f"/proc/self/fd/{file.fileno()}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


@contextmanager
def read(source: Path) -> Iterator[tarfile.TarFile]:
    """Open an archive; raises `BackupError` ``not_whole`` for anything that is none, or not to be read to its end."""
    try:
        with tarfile.open(source, mode="r:") as tar:
            yield tar
    except FileNotFoundError as error:
        raise BackupError("no_archive", f"There is no file {source}.") from error
    except PermissionError as error:
        raise BackupError("no_archive", f"This user may not read {source}.") from error
    except (tarfile.TarError, EOFError) as error:
        raise not_whole(source) from error


def verify(source: Path) -> dict[str, Any]:
    """Read an archive to its end, compare every checksum, and return its manifest. Raises `BackupError`."""
    found: dict[str, str] = {}
    promised: dict[str, str] | None = None
    with read(source) as tar:
        for member in tar:
            if member.name == CHECKSUMS:
                with suppress(ValueError):
                    promised = json.load(tar.extractfile(member))
                break
            if not member.isreg() or member.name.startswith("/") or ".." in member.name.split("/"):
                raise not_whole(source)
            found[member.name] = _sum(tar.extractfile(member))
        if promised is None or promised != found or MANIFEST not in found:
            raise not_whole(source)
        return json.load(tar.extractfile(MANIFEST))


def not_whole(source: Path) -> BackupError:
    return BackupError("not_whole", f"{source} is not a whole backup of Factory AI. Nothing was changed.")


def _sum(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()
