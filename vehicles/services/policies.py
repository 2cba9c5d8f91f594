"""What a site's gate goes by, read from its rows."""

from __future__ import annotations

from typing import Any

from factoryai.sites.models import Site
from vehicles.models import GatePolicy
from vehicles.rules.gate import Profile


def policy_of(site: Site | None) -> GatePolicy:
    """Return a site's policy, or the defaults where there is none and for what holds everywhere."""
    found = GatePolicy.objects.filter(site=site).first() if site is not None else None
    return found or GatePolicy(site=site)


def rules_of(policy: GatePolicy) -> tuple[Any, ...]:
    """Return what `judge_plate` needs after the text and its confidence."""
    return (Profile(policy.profile),)
