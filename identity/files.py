"""Where picture files are: a folder or an S3 bucket, by one setting. Only names that `NAME` fits are touched."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings

NAME = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{6}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.sealed")
"""Names that `identity.models.file_name_of` gives; anything else in the place is not ours to touch."""


class UnsafeFileError(OSError):
    """Something stands at the name that is no plain file of ours: a link, a folder, a device."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing found in the place. ``is_ours`` is False for a name or a kind that the product never writes."""

    name: str
    size_bytes: int
    modified_at: float
    is_ours: bool


class Files(Protocol):
    """A place for files. Every method raises OSError when the place does not answer, ValueError for a foreign name."""

    def write(self, name: str, data: bytes) -> int:
        """Write a file that does not exist yet and return its size; raises FileExistsError."""
        ...

    def replace(self, name: str, data: bytes) -> int:
        """Put other content in the place of a file, all or nothing, and return its size."""
        ...

    def read(self, name: str) -> bytes:
        """Return the content; raises FileNotFoundError, UnsafeFileError."""
        ...

    def size(self, name: str) -> int | None:
        """Return the bytes that removing would free, None when there is no file; raises UnsafeFileError."""
        ...

    def remove(self, name: str) -> int | None:
        """Remove a file and return the bytes it freed, None when there was none; raises UnsafeFileError."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Yield everything in the place, foreign things included."""
        ...

    def free_bytes(self) -> int | None:
        """Return the room that is left, None where there is no limit."""
        ...


def check_name(name: str) -> str:
    """Return ``name`` when it is one of ours; raises ValueError."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a snapshot file")
    return name


class FolderFiles:
    """Files in a folder. Each step down is opened without following links, so nothing outside is ever reached."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, data: bytes) -> int:
        with self._shelf(name, make=True) as (shelf, leaf):
            return _write_durably(shelf, leaf, data)

    def replace(self, name: str, data: bytes) -> int:
        with self._shelf(name) as (shelf, leaf):
            self._stat(shelf, leaf)
            beside = f"{leaf}.new"
            with suppress(FileNotFoundError):  # of a run that was killed
                os.unlink(beside, dir_fd=shelf)
            size = _write_durably(shelf, beside, data)
            os.replace(beside, leaf, src_dir_fd=shelf, dst_dir_fd=shelf)
        return size

    def read(self, name: str) -> bytes:
        with self._shelf(name) as (shelf, leaf):
            self._stat(shelf, leaf)
            with os.fdopen(os.open(leaf, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=shelf), "rb") as file:
                return file.read()

    def size(self, name: str) -> int | None:
        try:
            with self._shelf(name) as (shelf, leaf):
                return _freed(self._stat(shelf, leaf))
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> int | None:
        try:
            with self._shelf(name) as (shelf, leaf):
                found = self._stat(shelf, leaf)
                os.unlink(leaf, dir_fd=shelf)
                return _freed(found)
        except FileNotFoundError:
            return None

    def entries(self) -> Iterator[Entry]:
        if not self.root.is_dir():
            return
        for shelf in sorted(os.scandir(self.root), key=lambda item: item.name):
            if not shelf.is_dir(follow_symlinks=False):
                yield _entry(shelf, shelf.name)
                continue
            for item in sorted(os.scandir(shelf.path), key=lambda item: item.name):
                yield _entry(item, f"{shelf.name}/{item.name}")

    def free_bytes(self) -> int | None:
        folder = self.root if self.root.is_dir() else self.root.parent
        room = os.statvfs(folder)
        return room.f_bavail * room.f_frsize

    @contextmanager
    def _shelf(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """Open the folder a file lies in, as a descriptor, and give the last part of its name."""
        shelf, leaf = check_name(name).split("/")
        if make:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDONLY | os.O_DIRECTORY
        root = os.open(self.root, flags)
        try:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(shelf, 0o700, dir_fd=root)
            folder = self._open_shelf(shelf, flags | os.O_NOFOLLOW, root)
        finally:
            os.close(root)
        try:
            yield folder, leaf
        finally:
            os.close(folder)

    @staticmethod
    def _open_shelf(shelf: str, flags: int, root: int) -> int:
        try:
            return os.open(shelf, flags, dir_fd=root)
        except (NotADirectoryError, OSError) as error:
            if isinstance(error, FileNotFoundError | PermissionError):
                raise
            raise UnsafeFileError(f"{shelf} is a link or no folder") from error

    @staticmethod
    def _stat(shelf: int, leaf: str) -> os.stat_result:
        found = os.stat(leaf, dir_fd=shelf, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise UnsafeFileError(f"{leaf} is a link or no plain file")
        return found


def _write_durably(shelf: int, leaf: str, data: bytes) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(leaf, flags, 0o600, dir_fd=shelf), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return len(data)


def _freed(found: os.stat_result) -> int:
    """What unlinking gives back: nothing while another name holds the same content."""
    return found.st_size if found.st_nlink <= 1 else 0


def _entry(item: os.DirEntry[str], name: str) -> Entry:
    found = item.stat(follow_symlinks=False)
    is_ours = stat.S_ISREG(found.st_mode) and bool(NAME.fullmatch(name))
    return Entry(name, found.st_size, found.st_mtime, is_ours)


MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class S3Files:
    """Files in a bucket under a prefix. In a bucket with versions, old ones stay until its own rules remove them."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client, self._bucket = client, bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def write(self, name: str, data: bytes) -> int:
        if self.size(name) is not None:
            raise FileExistsError(name)
        return self.replace(name, data)

    def replace(self, name: str, data: bytes) -> int:
        with _as_os_error():
            self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=data)
        return len(data)

    def read(self, name: str) -> bytes:
        with _as_os_error():
            return self._client.get_object(Bucket=self._bucket, Key=self._key(name))["Body"].read()

    def size(self, name: str) -> int | None:
        try:
            with _as_os_error():
                return self._client.head_object(Bucket=self._bucket, Key=self._key(name))["ContentLength"]
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> int | None:
        size = self.size(name)
        if size is not None:
            with _as_os_error():
                self._client.delete_object(Bucket=self._bucket, Key=self._key(name))
        return size

    def entries(self) -> Iterator[Entry]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        with _as_os_error():
            for page in pages:
                for item in page.get("Contents", ()):
                    name = item["Key"].removeprefix(self._prefix)
                    modified_at = item["LastModified"].timestamp()
                    yield Entry(name, item["Size"], modified_at, bool(NAME.fullmatch(name)))

    def free_bytes(self) -> int | None:
        return None

    def _key(self, name: str) -> str:
        return self._prefix + check_name(name)


@contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in MISSING:
            raise FileNotFoundError(code) from error
        raise OSError(f"the file store refused: {code}") from error


def files_at(place: str, **options: Any) -> Files:
    """Return the files of a media place: an absolute folder or ``s3://bucket/prefix``; ``options`` are boto3's."""
    if not place.startswith("s3://"):
        return FolderFiles(Path(place))
    parts = urlsplit(place)
    config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
    return S3Files(boto3.client("s3", config=config, **options), parts.netloc, parts.path)


@cache
def _remembered(place: str, region: str) -> Files:
    return files_at(place, **({"region_name": region} if region and place.startswith("s3://") else {}))


def media_files() -> Files:
    """Return the files of the installation, by `FACTORYAI_MEDIA_URL`."""
    return _remembered(settings.MEDIA_PLACE, settings.AWS_REGION)
