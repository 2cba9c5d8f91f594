"""`/api/v1/occupancy/logs`: what devices post."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from factoryai.rest import AwareDateTimeField, Refusal
from factoryai.sites.models import Role
from factoryai.sites.permissions import SiteRole
from occupancy.models import Zone
from occupancy.services.logs import MOST_LOGS, NewLog, Received, record_logs


class LogSerializer(serializers.Serializer):
    event_id = serializers.CharField(max_length=100)
    zone = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    at = AwareDateTimeField()
    kind = serializers.ChoiceField(choices=["in", "out", "count"])
    count = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False, allow_null=True)


class RejectedSerializer(serializers.Serializer):
    index = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.CharField()


class ReceivedSerializer(serializers.Serializer):
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = RejectedSerializer(many=True)


class LogsView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = (Role.DEVICE, Role.MANAGER)

    @extend_schema(request=LogSerializer(many=True), responses=ReceivedSerializer)
    def post(self, request: Request) -> Response:
        """Record up to 1,000 logs; a bad row never spoils its neighbours."""
        if not isinstance(request.data, list):
            raise Refusal("not_a_list", "Send a list of logs.")
        if len(request.data) > MOST_LOGS:
            raise Refusal("too_many_rows", f"At most {MOST_LOGS} rows at a time.", 413)
        rows, indexes, rejected = _parse(request.data)
        mine = Zone.objects.visible_to(request.user, self.write_roles).filter(pk__in={row.zone for row in rows})
        source = f"api:{request.user.pk}"
        result = record_logs(rows=rows, zones=list(mine), source=source, at=timezone.now())
        return Response(_answer(result, indexes, rejected))


PLAIN = frozenset({"event_id", "zone", "at", "kind", "count"})
KINDS = frozenset({"in", "out", "count"})


def _plain(item: Any) -> NewLog | None:
    """Read a row in which nothing is unusual; None leaves it to the serializer, which also says what is wrong.

    A serializer takes as long for a row as everything else together, and a gate sends thousands.
    """
    if not isinstance(item, dict) or not item.keys() <= PLAIN:
        return None
    event_id, zone, kind, count = (item.get(name) for name in ("event_id", "zone", "kind", "count"))
    is_named = type(event_id) is str and event_id.isascii() and event_id.isprintable()
    is_plain = (
        is_named and 0 < len(event_id) <= 100 and event_id == event_id.strip()
        and type(zone) is int and 0 < zone < 2**31
        and type(kind) is str and kind in KINDS
        and (count is None or (type(count) is int and 0 <= count < 2**31))
    )  # fmt: skip
    try:
        at = datetime.fromisoformat(item["at"]) if is_plain else None
    except (KeyError, TypeError, ValueError):
        return None
    if at is None or at.tzinfo is None or not 2000 <= at.year < 2100:
        return None
    return NewLog(event_id, zone, at, kind, count)


def _parse(data: list[Any]) -> tuple[list[NewLog], list[int], list[dict[str, Any]]]:
    """Return the readable rows, where each stood in the list, and the refusals of the others."""
    rows, indexes, rejected = [], [], []
    for index, item in enumerate(data):
        if plain := _plain(item):
            rows.append(plain)
            indexes.append(index)
            continue
        row = LogSerializer(data=item)
        if row.is_valid():
            rows.append(NewLog(**row.validated_data))
            indexes.append(index)
            continue
        name, errors = next(iter(row.errors.items()))
        rejected.append({"index": index, "code": errors[0].code, "message": f"{name}: {errors[0]}"})
    return rows, indexes, rejected


def _answer(result: Received, indexes: list[int], rejected: list[dict[str, Any]]) -> dict[str, Any]:
    late = [{"index": indexes[at], "code": code, "message": text} for at, code, text in result.rejected]
    return {
        "accepted": result.accepted,
        "duplicates": result.duplicates,
        "rejected": sorted([*rejected, *late], key=lambda row: row["index"]),
    }
