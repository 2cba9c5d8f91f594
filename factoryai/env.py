"""Typed settings from the environment, from ``.env`` beside ``manage.py``, and from secret files.

Every helper takes the first of ``NAME``, the file named by ``NAME_FILE``, the same two in ``.env``, and the default.
A value that makes no sense raises `SettingError`, whose text names the setting and says what to write instead.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})


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

    @classmethod
    def beside(cls, folder: Path) -> Env:
        """Read the process environment, and ``.env`` in ``folder`` where there is one."""
        return cls(os.environ, folder / ".env")

    def raw(self, name: str) -> str | None:
        """Return the value as written, stripped; None when it is neither set nor named by ``NAME_FILE``."""
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
        if value is None:
            return list(default)
        return [part.strip() for part in value.split(",") if part.strip()]

    def each(self, name: str, default: Sequence[str], check: Callable[[str], str]) -> list[str]:
        """Return `items`, each passed through ``check``, which raises ValueError with a hint."""
        checked = []
        for item in self.items(name, default):
            try:
                checked.append(check(item))
            except ValueError as error:
                raise SettingError(name, f"{item!r} makes no sense", str(error)) from error
        return checked


def _read_secret(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        hint = "Point it at a file this process may read."
        raise SettingError(f"{name}_FILE", f"cannot read {path} ({error.strerror})", hint) from error


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
            "OPTIONS": {"pool": {"min_size": 1, "max_size": 20, "timeout": 10}, **dict(parse_qsl(parts.query))},
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
    if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
        raise SettingError(name, "this is not a Redis address", "Write redis://host:6379/0 or unix:///path/to.sock.")
    return url
