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

from factoryai.bulk import ReceivedRowsSerializer, checked, read_rows
from factoryai.rest import AwareDateTimeField
from factoryai.sites.models import Role
from factoryai.sites.permissions import SiteRole
from occupancy.models import Zone
from occupancy.services.logs import NewLog, record_logs


class LogSerializer(serializers.Serializer):
    event_id = serializers.CharField(max_length=100)
    zone = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    at = AwareDateTimeField()
    kind = serializers.ChoiceField(choices=["in", "out", "count"])
    count = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False, allow_null=True)


class LogsView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = (Role.DEVICE, Role.MANAGER)

    @extend_schema(request=LogSerializer(many=True), responses=ReceivedRowsSerializer)
    def post(self, request: Request) -> Response:
        """Record up to 1,000 logs; a bad row never spoils its neighbours."""
        good, received = read_rows(request.data, _read)
        rows = [row for _, row in good]
        mine = Zone.objects.visible_to(request.user, self.write_roles).filter(pk__in={row.zone for row in rows})
        source = f"api:{request.user.pk}"
        recorded = record_logs(rows=rows, zones=list(mine), source=source, at=timezone.now())
        received.add(recorded, [index for index, _ in good])
        return Response(received.answer())


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


def _read(item: Any) -> NewLog:
    return _plain(item) or NewLog(**checked(LogSerializer(data=item)))
