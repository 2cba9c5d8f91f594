"""`/api/v1/vehicles/validate-plate` and `same-plate`: what the gate would say; neither writes anything."""

from __future__ import annotations

import math
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from factoryai.rest import NotFound
from factoryai.sites.models import Site
from factoryai.sites.permissions import PEOPLE, SiteRole
from vehicles.models import ListEntry
from vehicles.querysets import GUARDS
from vehicles.rules.gate import Judgement, Profile, Verdict, is_same_plate, judge_plate
from vehicles.rules.lists import Decision, Hit, Level, decide_gate, find_blocked
from vehicles.services.formats import formats_of
from vehicles.services.lists import find_listed

MOST_TEXT = 100_000
"""Characters of a plate that are taken at all; more than 64 are judged as too long."""


class PlateText(serializers.CharField):
    """Text that was read, whatever it holds: the rules judge it, an empty or strange one too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_TEXT, allow_blank=True, trim_whitespace=False, **kwargs)
        self.validators = [v for v in self.validators if type(v).__name__ != "ProhibitNullCharactersValidator"]


class ConfidenceField(serializers.FloatField):
    """A share from 0 to 1; what is no number is refused with the code ``invalid``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=1, **kwargs)

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if isinstance(data, bool) or not math.isfinite(value):
            self.fail("invalid")
        return value


class ValidateSerializer(serializers.Serializer):
    plate = PlateText()
    confidence = ConfidenceField()
    profile = serializers.ChoiceField([profile.value for profile in Profile], default=Profile.INDIA.value)
    site = serializers.SlugField(required=False, help_text="Ask lists and formats of this site only.")
    direction = serializers.ChoiceField(
        ListEntry.Direction.choices, default="", help_text="Some may pass one way only."
    )


class BlockedSerializer(serializers.Serializer):
    level = serializers.ChoiceField([level.value for level in Level])
    plate = serializers.CharField()
    reason = serializers.CharField()


class ValidatedSerializer(serializers.Serializer):
    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])
    accepted = serializers.BooleanField()
    family = serializers.CharField(allow_null=True)
    normalised = serializers.CharField(allow_null=True)
    match_key = serializers.CharField(allow_null=True)
    candidates = serializers.ListField(child=serializers.CharField())
    corrected_positions = serializers.ListField(child=serializers.IntegerField())
    reasons = serializers.ListField(child=serializers.CharField())
    blocked = BlockedSerializer(allow_null=True)
    decision = serializers.ChoiceField([decision.value for decision in Decision])


class ValidatePlateView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = PEOPLE

    @extend_schema(request=ValidateSerializer, responses=ValidatedSerializer)
    def post(self, request: Request) -> Response:
        """Judge a plate as the gate would after two agreeing reads like this one. Nothing is written.

        The lists are those of the sites at which you are security or manager; others see no list.
        """
        asked = ValidateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        at = timezone.now()
        sites = self._sites(request, given.get("site"))
        formats = formats_of(Site.objects.filter(slug=given["site"]).first()) if given.get("site") else ()
        judgement = judge_plate(given["plate"], given["confidence"], Profile(given["profile"]), formats)
        listed = find_listed(judgement.keys, sites)
        if not self._may_see_lists(request):
            listed = {name: {} for name in listed}
        hit = find_blocked(judgement, listed["blocked"], at)
        decision = decide_gate(judgement, hit, listed["allowed"], at, direction=given["direction"])
        return Response(ValidatedSerializer(_answer(judgement, hit, decision)).data)

    def _sites(self, request: Request, slug: str | None) -> list[int]:
        if slug and not Site.objects.visible_to(request.user).filter(slug=slug).exists():
            raise NotFound(f"There is no site {slug}.")
        sites = Site.objects.visible_to(request.user, GUARDS)
        return list((sites.filter(slug=slug) if slug else sites).values_list("pk", flat=True))

    def _may_see_lists(self, request: Request) -> bool:
        return request.user.is_superuser or Site.objects.visible_to(request.user, GUARDS).exists()


def _answer(judgement: Judgement, hit: Hit | None, decision: Decision) -> dict[str, Any]:
    blocked = {"level": hit.level, "plate": hit.entry.plate, "reason": hit.entry.reason} if hit else None
    names = (
        "verdict", "accepted", "family", "normalised", "match_key", "candidates", "corrected_positions", "reasons",
    )  # fmt: skip
    return {**{name: getattr(judgement, name) for name in names}, "blocked": blocked, "decision": decision}


class SameSerializer(serializers.Serializer):
    a = PlateText()
    b = PlateText()


class SameAnswerSerializer(serializers.Serializer):
    same = serializers.BooleanField()


class SamePlateView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = PEOPLE

    @extend_schema(request=SameSerializer, responses=SameAnswerSerializer)
    def post(self, request: Request) -> Response:
        """Whether two texts name one vehicle, numbers compared as numbers, nothing corrected."""
        asked = SameSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        same = is_same_plate(asked.validated_data["a"], asked.validated_data["b"])
        return Response(SameAnswerSerializer({"same": same}).data)
