"""What waits for a person's decision, in numbers that lead to where it is decided: the top of the administration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse

from attendance.models import Correction, Flag, PayPeriod
from factoryai.alerts.models import Alert, Severity
from factoryai.dashboard.reading import DESK
from factoryai.sites.permissions import PEOPLE
from factoryai.sites.role_admin import holds
from identity.models import Sighting, UnknownFace
from identity.querysets import FACE_ROLES, STRANGER_ROLES
from vehicles.models import PlateRead
from vehicles.querysets import GUARDS


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many of something, and the page on which they are dealt with; ``is_urgent`` when one cannot wait."""

    count: int
    words: str
    url: str
    is_urgent: bool = False


Question = Callable[[HttpRequest, Any], Waiting]


def waiting_for(request: HttpRequest, at: Any) -> list[Waiting]:
    """Return what waits for the person of ``request`` at all their sites, the urgent first; at most six queries."""
    asked = [question(request, at) for roles, question in QUESTIONS if holds(request, roles)]
    return sorted((one for one in asked if one.count), key=lambda one: not one.is_urgent)


def _alerts(request: HttpRequest, _at: Any) -> Waiting:
    counts = (
        Alert.objects.visible_to(request.user)
        .unanswered()
        .aggregate(all=Count("pk"), grave=Count("pk", filter=Q(severity=Severity.CRITICAL)))
    )
    words = f"{_plural('alert', counts['all'])} that nobody has taken on"
    if counts["grave"]:
        words += f", {counts['grave']} critical"
    return Waiting(counts["all"], words, reverse("alerts"), is_urgent=bool(counts["grave"]))


def _flags(request: HttpRequest, _at: Any) -> Waiting:
    count = Flag.objects.visible_to(request.user, DESK).awaiting_review().count()
    return Waiting(count, f"{_plural('flag', count)} to review", reverse("admin:attendance_flag_changelist"))


def _corrections(request: HttpRequest, _at: Any) -> Waiting:
    count = Correction.objects.visible_to(request.user, DESK).pending().count()
    words = f"{_plural('correction', count)} asked for"
    return Waiting(count, words, reverse("admin:attendance_correction_changelist"))


def _periods(request: HttpRequest, at: Any) -> Waiting:
    rows = PayPeriod.objects.visible_to(request.user, DESK)
    count = rows.filter(state=PayPeriod.State.OPEN, last_date__lt=at.date()).count()
    words = f"pay {_plural('period', count)} over and not locked"
    return Waiting(count, words, reverse("admin:attendance_payperiod_changelist"))


def _faces(request: HttpRequest, _at: Any) -> Waiting:
    doubtful = unknown = 0
    if holds(request, FACE_ROLES):
        doubtful = Sighting.objects.visible_to(request.user, FACE_ROLES).awaiting_review().count()
    if holds(request, STRANGER_ROLES):
        unknown = UnknownFace.objects.visible_to(request.user, STRANGER_ROLES).still_open().count()
    parts = [f"{count} {kind}" for count, kind in ((doubtful, "doubtful"), (unknown, "unknown")) if count]
    words = f"{_plural('face', doubtful + unknown)} to name ({', '.join(parts)})"
    return Waiting(doubtful + unknown, words, reverse("faces-review"))


def _plates(request: HttpRequest, _at: Any) -> Waiting:
    count = PlateRead.objects.visible_to(request.user, GUARDS).awaiting_review().doubtful().count()
    return Waiting(count, f"{_plural('plate', count)} read with doubt", reverse("plates-review"))


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


QUESTIONS: tuple[tuple[Iterable[str], Question], ...] = (
    (PEOPLE, _alerts),
    (DESK, _flags),
    (DESK, _corrections),
    (DESK, _periods),
    ({*FACE_ROLES, *STRANGER_ROLES}, _faces),
    (GUARDS, _plates),
)
"""Who is asked what; the order is that of the page."""
