"""The blocks of the screens. Each is gathered and rendered alone: one that fails says so and harms no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction
from django.template.loader import render_to_string

from factoryai.dashboard import gathering
from factoryai.dashboard.asker import Asker
from factoryai.dashboard.reading import DESK
from factoryai.sites.models import Role
from factoryai.sites.permissions import PEOPLE
from identity.querysets import STRANGER_ROLES
from streaming.querysets import WATCHERS
from vehicles.querysets import GUARDS

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a screen: its template, who may see it, which events make it look anew, and how often it looks."""

    name: str
    title: str
    roles: tuple[str, ...]
    gather: Callable[[Asker], Mapping[str, Any]]
    hears: str = ""
    every_s: int = 30

    @property
    def template(self) -> str:
        return f"dashboard/_{self.name}.html"


@dataclass(frozen=True, slots=True)
class Shown:
    """A block as it stands on a page; ``site`` keeps its refresh at the site of that page."""

    block: Block
    html: str
    site: str


BLOCKS: dict[str, Block] = {
    block.name: block
    for block in (
        Block("alerts", "Alerts", PEOPLE, gathering.alerts, hears="alert"),
        Block("cameras", "Cameras", PEOPLE, gathering.cameras, hears="camera", every_s=60),
        Block("gate", "Gate", GUARDS, gathering.gate, hears="plate_read visit"),
        Block("inside", "People inside", PEOPLE, gathering.inside, every_s=5),
        Block("faces", "Unknown faces", STRANGER_ROLES, gathering.faces, hears="unknown_face sighting"),
        Block("health", "Health", WATCHERS, gathering.health, hears="camera"),
        Block("today", "Today", DESK, gathering.today, every_s=60),
        Block("sites", "Today, by site", (Role.MANAGER,), gathering.sites, every_s=20),
        Block("queue", "Waiting for you", DESK, gathering.queue, every_s=60),
    )
}


def show_blocks(names: Iterable[str], asker: Asker) -> dict[str, Shown]:
    """Render the named blocks that the person may see."""
    return {name: show_block(BLOCKS[name], asker) for name in names if asker.may(BLOCKS[name].roles)}


def show_block(block: Block, asker: Asker) -> Shown:
    """Render one block; whatever goes wrong in it is logged and said in its place."""
    try:
        with transaction.atomic():  # a statement that fails takes its own savepoint down, not the page's work
            html = render_to_string(block.template, {"block": block, **block.gather(asker)}, asker.request)
    except Exception as error:
        log.exception("The block %s cannot be shown", block.name)
        is_database = isinstance(error, DatabaseError)
        html = render_to_string("dashboard/_broken.html", {"block": block, "is_database": is_database})
    return Shown(block, html, asker.choice.slug)
