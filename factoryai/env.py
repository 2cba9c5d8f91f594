"""Typed settings from the environment, from ``.env`` beside ``manage.py``, and from secret files.

Every helper takes the first of ``NAME``, the file named by ``NAME_FILE``, the same two in ``.env``, and the default.
A value that makes no sense raises `SettingError`, whose text names the setting and says what to write instead.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})


POSTGRES_OPTIONS: Mapping[str, Any] = {
    "pool": {"min_size": 1, "max_size": 20, "timeout": 10},
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
}
"""A server that went away without a word is noticed after 10 s, not after the kernel's quarter of an hour."""


class SettingError(ImproperlyConfigured):
    """A setting that makes no sense. ``name`` is the setting, ``hint`` what to write instead."""

    def __init__(self, name: str, problem: str, hint: str) -> None:
        super().__init__(f"{name}: {problem}. {hint}")
        self.name, self.problem, self.hint = name, problem, hint


class Env:
    """The environment first, then the lines of a ``.env`` file."""

    def __init__(self, environ: Mapping[str, str], dotenv: Path | None = None) -> None:
        lines = dotenv_values(dotenv) if dotenv and dotenv.is_file() else {}
        self._layers = (environ, {name: value for name, value in lines.items() if value is not None})
        self.known: set[str] = set()

    @classmethod
    def beside(cls, folder: Path) -> Env:
        """Read the process environment, and ``.env`` in ``folder`` where there is one."""
        return cls(os.environ, folder / ".env")

    def strangers(self, prefix: str) -> list[str]:
        """Return the names with ``prefix`` that are set and that nothing ever asked for, sorted."""
        known = self.known | {f"{name}_FILE" for name in self.known}
        given = {name for layer in self._layers for name in layer if name.startswith(prefix)}
        return sorted(given - known)

    def raw(self, name: str) -> str | None:
        """Return the value as written, stripped; None when it is neither set nor named by ``NAME_FILE``."""
        self.known.add(name)
        for layer in self._layers:
            if layer.get(name, "").strip():
                return layer[name].strip()
            if path := layer.get(f"{name}_FILE", "").strip():
                return _read_secret(name, Path(path))
        return None

    def text(self, name: str, default: str = "", *, choices: Sequence[str] = ()) -> str:
        value = self.raw(name) or default
        if choices and value not in choices:
            raise SettingError(name, f"{value!r} is not known", f"Use one of: {', '.join(choices)}.")
        return value

    def checked(self, name: str, default: str, check: Callable[[str], str]) -> str:
        """Return the value passed through ``check``, which raises ValueError with a hint; the default is not."""
        value = self.raw(name)
        if value is None:
            return default
        try:
            return check(value)
        except ValueError as error:
            raise SettingError(name, "this makes no sense", str(error)) from error

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.raw(name)
        if value is None:
            return default
        if value.lower() in YES:
            return True
        if value.lower() in NO:
            return False
        raise SettingError(name, f"{value!r} is neither yes nor no", "Write true or false.")

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        """Return a whole number between ``low`` and ``high``, both included."""
        value = self.raw(name)
        if value is None:
            return default
        if not value.isdecimal() or not low <= int(value) <= high:
            raise SettingError(name, f"{value!r} is out of range", f"Write a whole number from {low} to {high}.")
        return int(value)

    def items(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """Return the parts of a comma-separated value, stripped, empty ones left out."""
        value = self.raw(name)
        return list(default) if value is None else split(value)

    def each(self, name: str, default: Sequence[str], check: Callable[[str], str]) -> list[str]:
        """Return `items`, each passed through ``check``, which raises ValueError with a hint."""
        return each(name, self.items(name, default), check)


def split(value: str) -> list[str]:
    """Return the parts of a comma-separated value, stripped, empty ones left out."""
    return [part.strip() for part in value.split(",") if part.strip()]


def each(name: str, items: Iterable[str], check: Callable[[str], str]) -> list[str]:
    """Return ``items``, each passed through ``check``. The refusal does not repeat the value: it may be a secret."""
    checked = []
    for place, item in enumerate(items, 1):
        try:
            checked.append(check(item))
        except ValueError as error:
            raise SettingError(name, f"part {place} makes no sense", str(error)) from error
    return checked


def _read_secret(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        hint = "Point it at a file this process may read."
        raise SettingError(f"{name}_FILE", f"cannot read {path} ({error.strerror})", hint) from error


def is_weak_secret(key: str) -> bool:
    """Whether Django's deploy check would warn of it (security.W009)."""
    return len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure-")


def network(item: str) -> str:
    """Check one CIDR network or address."""
    try:
        return str(ipaddress.ip_network(item, strict=False))
    except ValueError:
        raise ValueError("Write networks like 192.168.0.0/16, separated by commas.") from None


def host(item: str) -> str:
    """Check one host name or address as Django's ALLOWED_HOSTS takes it."""
    if "/" in item or (":" in item.strip("[]") and not item.startswith("[")):
        raise ValueError("Write host names only, like factory.example.com, without https:// and without a port.")
    return item


def origin(item: str) -> str:
    """Check one browser origin, scheme and host with an optional port."""
    parts = urlsplit(item)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/"):
        raise ValueError("Write origins like https://app.example.com, separated by commas.")
    return f"{parts.scheme}://{parts.netloc}"


def fernet_key(item: str) -> str:
    """Check one key that seals secrets."""
    try:
        Fernet(item)
    except ValueError:
        raise ValueError("Write keys as `python manage.py make_keys` prints them, separated by commas.") from None
    return item


def camera_url(item: str) -> str:
    """Check the address of a first camera; whether its network is allowed is decided when it is added."""
    parts = urlsplit(item)
    if parts.scheme not in {"rtsp", "rtsps"} or not parts.hostname or any(sign.isspace() for sign in item):
        raise ValueError("Write an address like rtsp://user:password@192.168.1.20:554/stream.")
    return item


def service_url(item: str) -> str:
    """Check the address of a service that speaks HTTP."""
    parts = urlsplit(item)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("Write an address like https://rekognition.ap-south-1.amazonaws.com.")
    return item


def region(item: str) -> str:
    """Check the form of an AWS region."""
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", item):
        raise ValueError("Write a region like ap-south-1.")
    return item


def collection(item: str) -> str:
    """Check the first part of the names of face collections, which the site's slug is added to."""
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", item):
        return item
    raise ValueError("Write letters, digits, dots, dashes and underscores, like factoryai.")


def media_place(item: str) -> str:
    """Check where files go: an absolute folder, given back as it is, or ``s3://bucket/prefix``."""
    parts = urlsplit(item)
    if parts.scheme == "s3" and re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
        return f"s3://{parts.netloc}/{parts.path.strip('/')}".rstrip("/")
    if not parts.scheme and Path(item).is_absolute():
        return str(Path(item))
    raise ValueError("Write a folder like /srv/factoryai/media, or s3://bucket/prefix.")


def database(name: str, url: str) -> dict[str, object]:
    """Turn ``sqlite:///path`` or ``postgresql://user:password@host:port/name?option=value`` into Django's form."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and parts.path:
        return sqlite(Path(unquote(parts.path)))
    if parts.scheme in {"postgres", "postgresql"} and parts.path.strip("/"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "OPTIONS": {**POSTGRES_OPTIONS, **dict(parse_qsl(parts.query))},
        }
    hint = "Write sqlite:////absolute/path.sqlite3 or postgresql://user:password@host:5432/name."
    raise SettingError(name, f"{parts.scheme or 'no scheme'} is not a database address", hint)


def sqlite(path: Path) -> dict[str, object]:
    """Settings for SQLite that several processes share: WAL, a busy time-out, immediate transactions."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def redis(name: str, url: str) -> str:
    """Check a Redis address: ``redis://``, ``rediss://`` or ``unix:///path``."""
    parts = urlsplit(url)
    whole = bool(parts.path.strip("/")) if parts.scheme == "unix" else bool(parts.hostname)
    if parts.scheme not in {"redis", "rediss", "unix"} or not whole:
        raise SettingError(name, "this is not a Redis address", "Write redis://host:6379/0 or unix:///path/to.sock.")
    return url


def mail(url: str) -> dict[str, Any]:
    """Turn ``smtp://user:password@host:587`` (or ``smtps://``) into Django's form; empty: no mail."""
    parts = urlsplit(url)
    if url and (parts.scheme not in {"smtp", "smtps"} or not parts.hostname):
        hint = "Write smtp://user:password@host:587, or smtps://user:password@host:465."
        raise SettingError("FACTORYAI_EMAIL_URL", "this is not a mail server", hint)
    tls = parts.scheme == "smtps"
    return {
        "backend": f"django.core.mail.backends.{'smtp' if url else 'dummy'}.EmailBackend",
        "host": parts.hostname or "",
        "port": parts.port or (465 if tls else 587),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "tls": tls,
        "starttls": parts.scheme == "smtp" and bool(parts.username),
    }
