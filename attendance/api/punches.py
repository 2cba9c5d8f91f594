"""Check-in, check-out, punches in bulk, and every punch with what became of it."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attendance.api.days import DayRecordSerializer, with_suppressed
from attendance.api.fields import HR, POSTERS
from attendance.models import Punch, Source
from attendance.querysets import STATES
from attendance.services.punches import (
    UNKNOWN_EMPLOYEE,
    NewPunch,
    Outcome,
    record_punch,
    record_punches,
    source_at,
)
from factoryai.bulk import ReceivedRowsSerializer, read_rows
from factoryai.rest import (
    NAIVE_TIME,
    AwareDateTimeField,
    AwareDateTimeFilter,
    ErrorSerializer,
    ModelSerializer,
    Refusal,
)
from factoryai.sites.models import Role, Site
from factoryai.sites.permissions import SiteRole, SiteScoped
from identity.models import Employee

DIRECTIONS = frozenset(Punch.Direction.values)
SOURCE_LETTERS = 60
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL, and halves of a character: JSON can say them, and no database takes them."""


class CheckSerializer(serializers.Serializer):
    """A person, by id or by code and site, and when."""

    employee_id = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    employee_code = serializers.CharField(required=False, max_length=40)
    site = serializers.CharField(required=False, max_length=50)
    event_id = serializers.CharField(required=False, max_length=100, default="")


class CheckInSerializer(CheckSerializer):
    check_in_time = AwareDateTimeField()


class CheckOutSerializer(CheckSerializer):
    check_out_time = AwareDateTimeField()


class DuplicateSerializer(serializers.Serializer):
    duplicate = serializers.BooleanField()
    record = DayRecordSerializer()


class CheckView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = POSTERS
    serializer_class: type[CheckSerializer]
    direction: str
    time_field: str

    def record(self, request: Request) -> tuple[Outcome, dict[str, Any] | None]:
        check = self.serializer_class(data=request.data)
        check.is_valid(raise_exception=True)
        fields = check.validated_data
        person = find_person(request.user, fields)
        source = source_at(
            site=person.site, name=f"api:{request.user.username}", kind=kind_of(request.user, person.site)
        )
        row = NewPunch(person.pk, fields[self.time_field], self.direction, fields["event_id"])
        outcome = record_punch(row=row, employee=person, source=source, at=timezone.now(), by=request.user)
        return outcome, answer(outcome)


def answer(outcome: Outcome) -> dict[str, Any] | None:
    """Return the day as the contract shows it; None where a locked period has no record to show."""
    if outcome.record is None:
        return None
    return DayRecordSerializer(with_suppressed([outcome.record])[0]).data


def find_person(user: Any, fields: dict[str, Any]) -> Employee:
    """Return the employee that a check names; raises ``unknown_employee`` (404) also for one of another site."""
    people = Employee.objects.visible_to(user, POSTERS).select_related("site")
    if "employee_id" in fields:
        found = people.filter(pk=fields["employee_id"]).first()
    elif {"employee_code", "site"} <= fields.keys():
        found = people.filter(code=fields["employee_code"], site__slug=fields["site"]).first()
    else:
        text = "Name the person: employee_id, or employee_code and site."
        raise Refusal("employee_missing", text, fields={"employee_id": text})
    if found is None:
        raise Refusal(*UNKNOWN_EMPLOYEE, 404)
    return found


def kind_of(user: Any, site: Site) -> str:
    is_device = user.memberships.filter(site=site, role=Role.DEVICE).exists()
    return Source.Kind.DEVICE if is_device else Source.Kind.API


class CheckInView(CheckView):
    serializer_class = CheckInSerializer
    direction = Punch.Direction.IN
    time_field = "check_in_time"

    @extend_schema(
        request=CheckInSerializer,
        responses={
            201: DayRecordSerializer,
            200: OpenApiResponse(DuplicateSerializer, "An entry again within the double-entry window."),
            404: OpenApiResponse(ErrorSerializer, "`unknown_employee`"),
        },
    )
    def post(self, request: Request) -> Response:
        """Record an entry. The day comes back; an entry again within the window is kept and changes nothing."""
        outcome, day = self.record(request)
        if outcome.is_duplicate:
            return Response({"duplicate": True, "record": day})
        return Response(day, status.HTTP_201_CREATED)


class CheckOutView(CheckView):
    serializer_class = CheckOutSerializer
    direction = Punch.Direction.OUT
    time_field = "check_out_time"

    @extend_schema(
        request=CheckOutSerializer,
        responses={201: DayRecordSerializer, 404: OpenApiResponse(ErrorSerializer, "`unknown_employee`")},
    )
    def post(self, request: Request) -> Response:
        """Record an exit. The day comes back, with `early_exit` among its flags when it was too soon."""
        _, day = self.record(request)
        return Response(day, status.HTTP_201_CREATED)


class BulkPunchSerializer(serializers.Serializer):
    """One row of a bulk post; only its form for the schema, rows are read by `parse_row`."""

    event_id = serializers.CharField(max_length=100)
    site = serializers.CharField()
    employee_code = serializers.CharField(max_length=40)
    at = AwareDateTimeField()
    direction = serializers.ChoiceField(choices=Punch.Direction.choices)
    source = serializers.CharField(required=False, max_length=SOURCE_LETTERS)


class PunchSerializer(ModelSerializer):
    employee_code = serializers.CharField(source="employee.code", read_only=True)
    source = serializers.CharField(source="source.name", read_only=True)
    state = serializers.ChoiceField(choices=STATES, read_only=True)
    reason = serializers.CharField(read_only=True)

    class Meta:
        model = Punch
        fields = [
            "id", "employee", "employee_code", "at", "offset_minutes", "received_at", "source", "direction", "event_id",
            "confidence", "place", "state", "reason",
        ]  # fmt: skip
        read_only_fields = fields


class PunchFilter(filters.FilterSet):
    site = filters.CharFilter("employee__site__slug")
    state = filters.ChoiceFilter(choices=[(state, state) for state in STATES])
    after = AwareDateTimeFilter("at", "gte")
    before = AwareDateTimeFilter("at", "lt")

    class Meta:
        model = Punch
        fields = ["employee", "site", "direction", "state"]


class PunchViewSet(SiteScoped, mixins.ListModelMixin, viewsets.GenericViewSet):
    queryset = Punch.objects.with_state().select_related("employee", "source")
    serializer_class = PunchSerializer
    filterset_class = PunchFilter
    ordering_fields = ["at", "received_at"]
    read_roles = HR
    write_roles = POSTERS

    @extend_schema(request=BulkPunchSerializer(many=True), responses={200: ReceivedRowsSerializer})
    def create(self, request: Request) -> Response:
        """Record up to 1,000 punches; a bad row never spoils its neighbours, and a repeat changes nothing.

        An empty list is a sign of life: the sender's source has reported up to now.
        """
        return Response(receive(request.user, request.data, timezone.now()))


@transaction.atomic
def receive(user: Any, data: Any, at: dt.datetime) -> dict[str, Any]:
    """Sort rows by site and source and record each lot; every source that is named has reported up to ``at``.

    Of a terminal that a post does not name nothing is known: its days go on waiting.
    """
    people = _people_of(user, data)
    good, received = read_rows(data, lambda item: parse_row(item, people))
    lots: dict[tuple[str, str], list[tuple[int, NewPunch, Employee]]] = defaultdict(list)
    named: list[int] = []
    for index, (source, person, row) in good:
        lots[person.site.slug, source].append((index, row, person))
    for (_, name), lot in sorted(lots.items(), key=lambda one: one[0]):
        site = lot[0][2].site
        source = source_at(site=site, name=source_name(user, name), kind=kind_of(user, site))
        named.append(source.pk)
        mine = {person.pk: person for _, _, person in lot}
        recorded = record_punches(rows=[row for _, row, _ in lot], source=source, people=mine, at=at)
        received.add(recorded, [index for index, _, _ in lot])
    _reported(user, named if data else None, at)
    return received.answer()


def source_name(user: Any, name: str) -> str:
    """Name a source after its sender: nobody writes under another's name."""
    return f"api:{user.username}/{name}" if name else f"api:{user.username}"


def _reported(user: Any, named: Sequence[int] | None, at: dt.datetime) -> None:
    """Note that the ``named`` sources have reported; None, an empty post, is a sign of life of all of the sender's.

    Those are locked in the order in which lots lock them, or two posts of one sender would wait for each other.
    """
    if named is None:
        mine = Q(name=f"api:{user.username}") | Q(name__startswith=f"api:{user.username}/")
        locked = Source.objects.select_for_update(no_key=True, of=("self",)).filter(mine)
        named = list(locked.order_by("site__slug", "name").values_list("pk", flat=True))
    Source.objects.filter(pk__in=named).exclude(reported_until__gt=at).update(reported_until=at)


def _people_of(user: Any, data: Any) -> dict[str, dict[str, Employee]]:
    """Return the employees that rows name, by site and code, as far as the user may post for them: one query."""
    named = [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
    codes = {code for item in named if _is_text(code := item.get("employee_code"), 40)}
    sites = {site for item in named if _is_text(site := item.get("site"), 50)}
    found: dict[str, dict[str, Employee]] = defaultdict(dict)
    rows = Employee.objects.visible_to(user, POSTERS).filter(code__in=codes, site__slug__in=sites)
    for person in rows.select_related("site"):
        found[person.site.slug][person.code] = person
    return found


def _is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and not UNKEEPABLE.search(value)


def parse_row(item: Any, people: dict[str, dict[str, Employee]]) -> tuple[str, Employee, NewPunch]:
    """Return source, person and punch of one row; raises `Refusal` with the code for the row.

    Written out because a bulk post has a thousand rows: a serializer for each costs ten times as much.
    """
    if not isinstance(item, dict):
        raise Refusal("not_an_object", "A row is an object.")
    if not _is_text(item.get("event_id"), 100):
        raise Refusal("bad_event_id", "event_id: an event id has 1 to 100 characters.")
    source = item.get("source", "")
    if source != "" and not _is_text(source, SOURCE_LETTERS):
        raise Refusal("bad_source", f"source: a name of at most {SOURCE_LETTERS} characters.")
    if not isinstance(item.get("direction"), str) or item["direction"] not in DIRECTIONS:
        raise Refusal("bad_direction", "direction: in, out or unknown.")
    site, code = item.get("site"), item.get("employee_code")
    person = people.get(site, {}).get(code) if isinstance(site, str) and isinstance(code, str) else None
    if person is None:
        raise Refusal(*UNKNOWN_EMPLOYEE)
    return source, person, NewPunch(person.pk, parse_time(item.get("at")), item["direction"], item["event_id"])


def parse_time(value: Any) -> dt.datetime:
    """Return an instant in UTC; raises ``bad_time`` or ``naive_time``."""
    try:
        at = dt.datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise Refusal("naive_time", f"at: {NAIVE_TIME}")
        return at.astimezone(dt.UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise Refusal("bad_time", "at: write a time like 2026-03-01T08:00:00+05:30.") from error
