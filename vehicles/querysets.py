"""Questions about lists, reads and visits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, Q, Subquery, When
from django.utils import timezone

from factoryai.sites.models import Role
from factoryai.sites.querysets import ScopedQuerySet, membership_filter
from vehicles.rules.spelling import spell

GUARDS = (Role.SECURITY, Role.MANAGER)
"""Roles that may know who drove in."""


class SpelledQuerySet(ScopedQuerySet):
    """Rows with a plate that people search for however they write it."""

    def spelled(self, text: str) -> Self:
        """Keep the rows of the vehicle that ``text`` names, numbers compared as numbers, and those whose plate holds
        it as a part; nothing for a text without letters and digits."""
        spelling = spell(text)
        if not spelling.part:
            return self.none()
        return self.filter(Q(match_key__in=spelling.keys) | self._holds(spelling.part))

    def _holds(self, part: str) -> Q:
        return Q(plate__contains=part)


class ListEntryQuerySet(SpelledQuerySet):
    """Entries of the lists. One without a site holds everywhere."""

    def visible_to(self, user: Any, roles: Iterable[str] | None = None) -> Self:
        """Keep entries of the user's sites, and those for everywhere when the user holds a role at any."""
        roles = GUARDS if roles is None else roles
        mine = membership_filter(user, roles, "site")
        if user.is_active and user.is_authenticated and not user.is_superuser:
            from factoryai.sites.models import Site

            everywhere = Q(site__isnull=True) & Q(Exists(Site.objects.visible_to(user, roles)))
            return self.filter(mine | everywhere)
        return self.filter(mine)

    def blocked(self) -> Self:
        return self.filter(list="blocked")

    def allowed(self) -> Self:
        return self.filter(list="allowed")

    def watched(self) -> Self:
        return self.filter(list="watch")

    def kept(self) -> Self:
        """Keep entries that nobody has removed, whatever their dates."""
        return self.filter(removed_at__isnull=True)

    def in_force(self, at: datetime) -> Self:
        begun = Q(valid_from__isnull=True) | Q(valid_from__lte=at)
        return self.kept().filter(begun, Q(valid_until__isnull=True) | Q(valid_until__gt=at))

    def expired(self, at: datetime) -> Self:
        return self.kept().filter(valid_until__lte=at)

    def with_last_seen(self, user: Any) -> Self:
        """Add ``last_seen_at`` and ``last_seen_camera``: where the vehicle was last read, at sites of ``user`` only."""
        from vehicles.models import Vehicle

        mine = Vehicle.objects.visible_to(user, GUARDS).filter(match_key=OuterRef("match_key"))
        here, anywhere = mine.filter(site=OuterRef("site")), mine.order_by("-last_seen_at")
        return self.annotate(
            **{
                name: Case(
                    When(site__isnull=True, then=Subquery(anywhere.values(path)[:1])),
                    default=Subquery(here.values(path)[:1]),
                )
                for name, path in (("last_seen_at", "last_seen_at"), ("last_seen_camera", "last_camera__name"))
            }
        )

    def update(self, **changes: Any) -> int:
        return self.change(at=timezone.now(), **changes)

    update.alters_data = True  # type: ignore[attr-defined]

    @transaction.atomic
    def change(self, *, at: datetime, **changes: Any) -> int:
        """Change rows as ``update`` does. Keys follow plates, history is written, who is inside is alarmed of.

        Raises `Refusal` ``bad_plate`` where another plate is none; nothing is changed then.
        """
        from vehicles.writing import changes_taken, locked_entries

        entries = locked_entries(self.order_by().values_list("pk", flat=True))
        with changes_taken(entries, changes.keys(), at):
            return super().update(**changes)

    change.alters_data = True  # type: ignore[attr-defined]

    @transaction.atomic
    def bulk_create(self, objs: Iterable[Any], *args: Any, **how: Any) -> list[Any]:
        """Add entries as `ListEntry.save` does, all of them or none."""
        from vehicles.writing import additions_taken

        if how.get("ignore_conflicts") or how.get("update_conflicts"):
            raise ValueError("A list has no history of what a conflict left out: add what is not listed yet.")
        entries = list(objs)
        with additions_taken(entries, timezone.now()):
            return super().bulk_create(entries, *args, **how)

    @transaction.atomic
    def delete(self) -> tuple[int, dict[str, int]]:
        from vehicles.history import changes_written
        from vehicles.writing import locked_entries

        with changes_written(locked_entries(self.order_by().values_list("pk", flat=True))):
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]  # no manager deletes all there is


class PlateReadQuerySet(SpelledQuerySet):
    def _holds(self, part: str) -> Q:
        return Q(plate__contains=part) | Q(text__contains=part)

    def awaiting_review(self) -> Self:
        return self.filter(review="pending")

    def doubtful(self) -> Self:
        """Keep what may well be a plate; the others are most often not."""
        return self.exclude(verdict="invalid")

    def counting(self) -> Self:
        """Keep reads that make visits, in the order of capture."""
        return self.filter(counts=True).order_by("captured_at", "pk")


class VehicleQuerySet(SpelledQuerySet):
    pass


class VisitQuerySet(SpelledQuerySet):
    def still_open(self) -> Self:
        return self.filter(state="open")

    def genuine(self) -> Self:
        """Leave out visits whose reads turned out to belong elsewhere."""
        return self.exclude(state="withdrawn")

    def unalarmed(self, at: datetime, keys: Iterable[str] | None = None) -> Self:
        """Keep vehicles that are inside, blocked or watched by an entry in force, of which nobody was told yet; with
        ``keys``, those of these match keys."""
        from vehicles.models import ListEntry

        mine = Q(site__isnull=True) | Q(site=OuterRef("site"))
        met = ListEntry.objects.in_force(at).filter(mine, match_key=OuterRef("match_key"))
        inside = self.still_open() if keys is None else self.still_open().filter(match_key__in=keys)
        told_of = (
            Q(alerted_at__isnull=True),
            Q(Exists(met.blocked())) | Q(Exists(met.watched()), watched_at__isnull=True),
        )
        return inside.filter(*told_of)

    def unseen_since(self, at: datetime) -> Self:
        return self.still_open().filter(last_seen_at__lte=at)


class OpeningQuerySet(ScopedQuerySet):
    site_path = "gate__camera__site"

    def undecided(self, before: datetime) -> Self:
        """Keep calls whose process died before it wrote how they went."""
        return self.filter(outcome="pending", asked_at__lt=before)


class GateQuerySet(ScopedQuerySet):
    site_path = "camera__site"
