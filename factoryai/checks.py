"""System checks of the settings as a whole; single values are refused in `settings` already."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connection

from factoryai.settings import env

PREFIX = "FACTORYAI_"
OF_THE_TESTS = ("FACTORYAI_TEST_", "FACTORYAI_FOOTAGE")


@register()
def check_unknown_names(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn of names that nothing reads: most are slips of the pen that leave a default in force."""
    strangers = [name for name in env.strangers(PREFIX) if not name.startswith(OF_THE_TESTS)]
    return [
        Warning(f"{name} is set, and nothing reads it.", hint=hint_for(name), id="factoryai.W001") for name in strangers
    ]


@register(Tags.security, deploy=True)
def check_production_services(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn of a production that stands on what only an installation on one machine has."""
    if not settings.IS_PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if connection.vendor == "sqlite":
        found.append(
            Warning(
                "Production runs on SQLite, where one writer at a time makes the others wait.",
                hint="Set DATABASE_URL to a postgresql:// address.",
                id="factoryai.W002",
            )
        )
    if not env.raw("REDIS_URL"):
        found.append(
            Warning(
                "REDIS_URL is not set, and in production nothing starts a Valkey of its own.",
                hint="Set REDIS_URL to the redis:// or rediss:// address of the broker.",
                id="factoryai.W003",
            )
        )
    return found


def hint_for(name: str) -> str:
    """Return the known name that was probably meant."""
    if near := get_close_matches(name, sorted(env.known), n=1):
        return f"Did you mean {near[0]}?"
    return "docs/configuration.md lists every name."
