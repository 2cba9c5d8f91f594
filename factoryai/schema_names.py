"""Names of models and choices in the OpenAPI schema: they become types of generated clients, so they are given here."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any, Final

from factoryai import rest

REFERENCE: Final = "#/components/schemas/"
ENUMS: Final = {
    "AlertState": "new seen acknowledged closed",
    "AllowedKind": "staff visitor contractor",
    "Audience": "operations personnel",
    "BadgeMethod": "badge pin manual",
    "BlockLevel": "critical critical-probable",
    "CameraDirection": "in out both",
    "CameraRole": "attendance gate occupancy",
    "CameraState": "live stale offline disabled",
    "CapacityLevel": "ok warn full",
    "ConsentBasis": "consent employment",
    "CorrectionKind": "add replace remove",
    "CorrectionState": "pending approved refused",
    "DatedBy": "start end most split",
    "DayState": "live provisional final locked",
    "DayStatus": "present half_day absent holiday week_off on_leave",
    "FlagDecision": "excused confirmed",
    "DirectionPolicy": "alternating strict",
    "FaceSource": "upload camera unknown",
    "FlagKind": (
        "late early_exit missing_out missing_in off_shift low_confidence auto_closed lates_half_day worked_on_leave "
        "absent_half"
    ),
    "FlagReview": "pending excused confirmed",
    "GateDecision": "open hold block",
    "LeavePart": "whole first_half second_half",
    "OccupancyLogKind": "in out count",
    "OvertimePolicy": "off beyond_hours after_end around_shift",
    "PassageDirection": "in out",
    "PeriodState": "open locked",
    "PlateProfile": "strict india",
    "PlateReadReview": "pending accepted corrected discarded superseded",
    "PlateVerdict": "valid corrected review invalid",
    "PunchDirection": "in out unknown",
    "PunchState": "counted duplicate superseded off_shift",
    "ReadDecision": "accept correct discard",
    "ResetPolicy": "to_zero to_open_sessions off",
    "SearchOutcome": "known review unknown no_face",
    "Severity": "info warning critical",
    "SightingOutcome": "known review unknown",
    "SightingReview": "pending confirmed rejected",
    "SnapshotKind": "enrolment sighting unknown plate",
    "SnapshotState": "pending stored deleting deleted",
    "UnknownFaceState": "open assigned visitor dismissed merged",
    "VisitState": "open left no_exit withdrawn",
    "WorkedPolicy": "first_last pairs",
}
"""Choices by their values: a choice that comes or goes is a change of the contract, made here as well."""

MODELS: Final = {
    "AllowedEntry": "AllowedPlate",
    "Assign": "AssignUnknownFace",
    "Blocked": "BlockedHit",
    "CameraState": "CameraStatus",
    "Correct": "CorrectCount",
    "Corrected": "CorrectedCount",
    "Day": "OccupancyDay",
    "Decide": "DecideSighting",
    "Decision": "DecideRead",
    "Duplicate": "DuplicateEntry",
    "Enrolled": "EnrolledFace",
    "Erased": "ErasedBiometrics",
    "Found": "FaceSearchResult",
    "Hold": "HoldSnapshot",
    "Hour": "OccupancyHour",
    "Job": "ScheduledJob",
    "Ledger": "GraceLedger",
    "ListEntry": "ListedPlate",
    "Lock": "LockPeriod",
    "Log": "OccupancyLog",
    "Merge": "MergeUnknownFace",
    "Month": "OccupancyMonth",
    "NewRead": "NewPlateRead",
    "Note": "AcknowledgeAlert",
    "Now": "OccupancyNow",
    "Review": "ReviewFlag",
    "Run": "RunJob",
    "Same": "SamePlate",
    "SameAnswer": "SamePlateAnswer",
    "Scheduler": "SchedulerStatus",
    "Search": "FaceSearch",
    "Suppressed": "SuppressedPunch",
    "Trial": "CameraTrial",
    "Unlock": "UnlockPeriod",
    "Url": "CameraAddress",
    "Validate": "ValidatePlate",
    "Validated": "ValidatedPlate",
    "Visitor": "VisitorUnknownFace",
}
"""Names that say too little outside their app."""

MAY_BE_BLANK: Final = ("BadgeMethod", "CameraDirection", "LeavePart", "PassageDirection")
"""Choices of which none at all is one; drf-spectacular leaves an empty value out."""

_BY_VALUES: Final = {frozenset(values.split()): name for name, values in ENUMS.items()}
_OF_MIXINS: Final = {cleandoc(base.__doc__ or "") for base in (rest.ModelSerializer, rest.RefusesReadOnly)}
_CLOCK: Final = {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"}
"""A time of day: what OpenAPI calls ``time`` has an offset."""


def polish(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Name components, drop what mixins say of code, and describe times of day; a hook of drf-spectacular."""
    schemas = result["components"]["schemas"]
    names = {old: _name_of(old, schema) for old, schema in schemas.items()}
    named = {names[old]: schema for old, schema in schemas.items()}
    result["components"]["schemas"] = {name: named[name] for name in sorted(named)}
    for name in MAY_BE_BLANK:
        named[name]["enum"].append("")
    for schema in named.values():
        if schema.get("description") in _OF_MIXINS:
            del schema["description"]
    _walk(result, {REFERENCE + old: REFERENCE + new for old, new in names.items()})
    return result


def _name_of(old: str, schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return _BY_VALUES.get(frozenset(value for value in schema["enum"] if isinstance(value, str)), old)
    for before, after in (("Paginated", "List"), ("Patched", "Request"), ("", "Request"), ("", "")):
        if old.startswith(before) and old.endswith(after):
            core = old.removeprefix(before).removesuffix(after)
            if core in MODELS:
                return f"{before}{MODELS[core]}{after}"
    return old


def _walk(part: Any, names: dict[str, str]) -> None:
    if isinstance(part, list):
        for inner in part:
            _walk(inner, names)
    elif isinstance(part, dict):
        if part.get("$ref") in names:
            part["$ref"] = names[part["$ref"]]
        if part.get("in") == "query" and not part.get("required"):
            part["allowEmptyValue"] = True  # as a form sends it: an empty filter is none
        if part.get("type") == "string" and part.get("format") == "time":
            del part["format"]
            part.update(_CLOCK)
        for inner in part.values():
            _walk(inner, names)
