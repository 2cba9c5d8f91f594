"""Questions about people, their faces, and the pictures that are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Self

from django.db.models import Exists, OuterRef, Q

from factoryai.alerts.rules import OPEN
from factoryai.sites.models import Role
from factoryai.sites.querysets import ScopedQuerySet

FACE_ROLES = (Role.HR, Role.MANAGER)
"""Roles that may see who was sighted when; security sees the faces nobody could name."""

STRANGER_ROLES = (Role.HR, Role.MANAGER, Role.SECURITY)
PLATE_ROLES = (Role.SECURITY, Role.MANAGER)
SNAPSHOT_ROLES = {
    "enrolment": (Role.HR,), "sighting": FACE_ROLES, "unknown": STRANGER_ROLES, "plate": PLATE_ROLES,
}  # fmt: skip

Need = Callable[[], Exists]
_needs: list[Need] = []


def keep_while(need: Need) -> None:
    """Keep snapshots from the purge while ``need`` is true of them: an app above says so of its own records."""
    _needs.append(need)


class EmployeeQuerySet(ScopedQuerySet):
    def employed_between(self, first: date, last: date) -> Self:
        """Keep who works here on some day of ``first`` to ``last``."""
        return self.filter(
            Q(joined_date__isnull=True) | Q(joined_date__lte=last), Q(left_date__isnull=True) | Q(left_date__gte=first)
        )


class ConsentQuerySet(ScopedQuerySet):
    site_path = "employee__site"

    def in_force(self) -> Self:
        return self.filter(withdrawn_at__isnull=True)


class FaceQuerySet(ScopedQuerySet):
    site_path = "employee__site"

    def searchable(self) -> Self:
        """Faces of people who work here and whose consent or legal ground is in force."""
        from identity.models import Consent

        ground = Consent.objects.in_force().filter(employee=OuterRef("employee"))
        return self.filter(Exists(ground), employee__is_active=True)


class RemoteFaceQuerySet(ScopedQuerySet):
    def present(self) -> Self:
        return self.filter(state="present")

    def to_delete(self) -> Self:
        """Faces that must go, or whose face here is gone already."""
        return self.filter(Q(state="deleting") | Q(face__isnull=True))


class CameraFacesQuerySet(ScopedQuerySet):
    site_path = "camera__site"


class SightingQuerySet(ScopedQuerySet):
    def awaiting_review(self) -> Self:
        return self.filter(review="pending")

    def identified(self) -> Self:
        """Sightings whose person a camera knew, or a person has confirmed."""
        return self.filter(Q(outcome="known") | Q(review="confirmed"), employee__isnull=False)


class UnknownFaceQuerySet(ScopedQuerySet):
    def still_open(self) -> Self:
        return self.filter(state="open")


class SnapshotQuerySet(ScopedQuerySet):
    def viewable_by(self, user: Any) -> Self:
        """Snapshots whose picture the user may look at, by kind."""
        allowed = Q(pk__in=())
        for kind, roles in SNAPSHOT_ROLES.items():
            allowed |= Q(kind=kind, pk__in=self.model._default_manager.visible_to(user, roles).values("pk"))
        return self.filter(allowed)

    def older_than(self, cut_offs: Mapping[tuple[int, str], datetime], default: datetime) -> Self:
        """Snapshots with a file that were captured strictly before their cut-off, by (site id, kind), and those that
        somebody began to delete, of whatever age."""
        special = [Q(site_id=site, kind=kind) for site, kind in cut_offs]
        early = Q(captured_at__lt=default)
        for this in special:
            early &= ~this
        for this, before in zip(special, cut_offs.values(), strict=True):
            early |= this & Q(captured_at__lt=before)
        return self.filter(Q(early, state="stored") | Q(state="deleting"))

    def needed(self) -> Self:
        """Snapshots that nobody may purge: held, enrolled, under review, or part of an open alert."""
        return self.filter(self._needed())

    def not_needed(self) -> Self:
        return self.exclude(self._needed())

    def _needed(self) -> Q:
        from identity.models import Face, Sighting, UnknownFace

        mine = OuterRef("pk")
        others = Q(pk__in=())
        for need in _needs:
            others |= Q(need())
        return (
            others
            | Q(is_held=True)
            | Q(Exists(Face.objects.filter(snapshot=mine)))
            | Q(Exists(Sighting.objects.awaiting_review().filter(snapshot=mine)))
            | Q(Exists(UnknownFace.objects.still_open().filter(snapshot=mine)))
            | Q(alert__state__in=[state.value for state in OPEN], alert__isnull=False)
        )
