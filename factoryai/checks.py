"""System checks of the settings as a whole; single values are refused in `settings` already."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from django.core.checks import CheckMessage, Warning, register

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


def hint_for(name: str) -> str:
    """Return the known name that was probably meant."""
    if near := get_close_matches(name, sorted(env.known), n=1):
        return f"Did you mean {near[0]}?"
    return "docs/configuration.md lists every name."
