"""Two sites with one row of everything in each, and everybody who could ask for it.

Rows are made from the models themselves, so that a new model is walked without a word here. What people read in the
rows of a site carries the site's mark: a mark in an answer to somebody from elsewhere is a leak.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.apps import apps
from django.db import models

from factoryai.sites.models import Role, Site
from factoryai.sites.tests.factories import make_people, make_user
from identity.fields import SealedVectorField
from identity.tests.factories import make_snapshot

APPS = ("alerts", "jobs", "streaming", "identity", "attendance", "vehicles", "occupancy")
HOME, ELSEWHERE = "KAVERI", "PERIYAR"
"""The marks of the site that is asked about, and of the other one."""

NOON = dt.datetime(2026, 3, 2, 6, 30, tzinfo=dt.UTC)
PERSONS = ("anon", "off", "none", "hr", "sec", "mgr", "dev", "other", "root")
STRANGERS = ("anon", "off", "none", "other")
"""Nobody, a disabled account with every role, an account without one, and one with every role at the other site."""

SPECIAL: dict[str, dict[str, Any]] = {
    "attendance.Correction": {"kind": "add", "at": NOON, "direction": "in"},
    "attendance.DayRecord": {"state": "final"},
    "attendance.Flag": {"kind": "late"},
    "attendance.Decision": {"kind": "late"},
    "attendance.Punch": {"offset_minutes": 330},
    "attendance.ShiftVersion": {"starts_at": dt.time(8), "ends_at": dt.time(17), "effective_from": NOON.date()},
    "identity.Employee": {"code": "E-7"},
    "identity.PurgeRun": {"finished_at": NOON},
    "identity.Retention": {"kind": "unknown"},
    "identity.Sighting": {"outcome": "review", "review": "pending"},
    "occupancy.Log": {"kind": "in", "step": 1},
    "vehicles.AllowedPlate": {"list": "allowed", "kind": "visitor"},
    "vehicles.BlockedPlate": {"list": "blocked"},
    "vehicles.ListEntry": {"list": "watch", "plate": "KA01EK0001"},
    "vehicles.PlateRead": {"review": "pending", "verdict": "review", "decision": "hold"},
    "vehicles.WatchedPlate": {"list": "watch"},
    "streaming.Camera": {"address": "rtsp://192.168.1.20/stream1", "roles": ["attendance", "gate", "occupancy"]},
}
"""What a field must be so that the row can be; everything else follows from the field's type."""


@dataclass
class World:
    home: Site
    elsewhere: Site
    users: dict[str, Any]
    rows: dict[tuple[str, str], models.Model] = field(default_factory=dict)

    def row(self, label: str, mark: str = HOME) -> models.Model:
        """Return the row of a model, named like ``alerts.Alert``, at the site of ``mark``."""
        return self.rows[label, mark]


def make_world() -> World:
    people = make_people()
    off = make_user("lata", site=people.site, roles=tuple(Role.values), is_active=False)
    users = {
        "anon": None, "off": off, "none": people.asha, "hr": people.meena, "sec": people.farid, "mgr": people.kavita,
        "dev": people.gate, "other": people.stranger, "root": people.root,
    }  # fmt: skip
    world = World(people.site, people.other_site, users)
    for mark, site in ((HOME, world.home), (ELSEWHERE, world.elsewhere)):
        Site.objects.filter(pk=site.pk).update(name=f"{site.slug} {mark}")
        maker = Maker(site, mark, people.root)
        for model in own_models():
            if not is_shared(model):
                maker.one(model)
        world.rows.update({(label, mark): row for label, row in maker.made.items()})
    maker = Maker(world.home, "SHARED", people.root)
    for model in filter(is_shared, own_models()):
        world.rows[model._meta.label, HOME] = maker.one(model)
    return world


def own_models() -> Iterable[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in APPS]


def is_shared(model: type[models.Model]) -> bool:
    """Whether a model's rows belong to the installation and to no site."""
    return not any(isinstance(one, models.ForeignKey) for one in model._meta.concrete_fields)


class Maker:
    """Makes one row of each model at one site, and what it refers to."""

    def __init__(self, site: Site, mark: str, by: Any) -> None:
        self.site, self.mark, self.by = site, mark, by
        self.made: dict[str, models.Model] = {}

    def one(self, model: type[models.Model]) -> models.Model:
        label = model._meta.label
        if model is Site:
            return self.site
        if label == "auth.User":
            return self.by
        if label not in self.made:
            self.made[label] = self._snapshot() if label == "identity.Snapshot" else self._make(model)
        return self.made[label]

    def _snapshot(self) -> models.Model:
        """A real one, with its file, for the picture's address."""
        snapshot = make_snapshot(self.site, kind="sighting")
        type(snapshot).objects.filter(pk=snapshot.pk).update(reason=self.mark)
        return snapshot

    def _make(self, model: type[models.Model]) -> models.Model:
        fields = dict(SPECIAL.get(model._meta.label, {}))
        for one in model._meta.concrete_fields:
            if one.name not in fields and self._is_needed(one):
                fields[one.name] = self._value(one)
        try:
            key = next((name for name in ("site", "camera") if _is_own_key(model, name)), None)
            found = model._default_manager.filter(**{key: fields[key]}).first() if key else None
            return found or model._default_manager.create(**fields)
        except Exception as error:
            raise AssertionError(f"Say in SPECIAL what a {model._meta.label} needs: {error} ({fields})") from error

    def _is_needed(self, one: models.Field) -> bool:
        if isinstance(one, models.AutoField) or getattr(one, "auto_now", False) or getattr(one, "auto_now_add", False):
            return False
        if isinstance(one, models.ForeignKey):
            return not one.null or one.name in ("site", "employee", "camera", "zone")
        if isinstance(one, models.CharField | models.TextField) and not one.choices:
            return True
        return not (one.null or one.has_default() or one.blank)

    def _value(self, one: models.Field) -> Any:
        if isinstance(one, models.ForeignKey):
            return self.one(one.remote_field.model)
        if one.choices:
            return next(value for value, _ in one.flatchoices if value)
        if isinstance(one, SealedVectorField):
            return np.ones(128, np.float32) / np.sqrt(128)
        for kind, value in self._by_type().items():
            if isinstance(one, kind):
                return value[: one.max_length] if isinstance(value, str) else value
        raise AssertionError(f"Say in SPECIAL what {one} is.")

    def _by_type(self) -> dict[type[models.Field], Any]:
        """Values by the type of a field, narrower types before wider ones."""
        return {
            models.SlugField: f"{self.site.slug}-{self.mark.lower()}",
            models.CharField: f"{self.mark} 1",
            models.TextField: f"{self.mark} text",
            models.DateTimeField: NOON,
            models.DateField: NOON.date(),
            models.TimeField: dt.time(8),
            models.BooleanField: True,
            models.IntegerField: 1,
            models.FloatField: 0.5,
            models.DecimalField: 1,
            models.UUIDField: uuid.uuid4(),
            models.BinaryField: self.mark.encode(),
            models.JSONField: {},
        }


def _is_own_key(model: type[models.Model], name: str) -> bool:
    return any(one.name == name and isinstance(one, models.OneToOneField) for one in model._meta.concrete_fields)
