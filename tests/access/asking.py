"""How each address is asked: what stands for its parameters, and what is sent with it."""

from __future__ import annotations

import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from identity.tests.factories import JPEG
from tests.access.world import HOME, World

SITE, DAY, AT = "pune", "2026-03-02", "2026-03-02T08:00:00+05:30"

ROWS = {
    "api/v1/alerts": "alerts.Alert",
    "api/v1/attendance/assignments": "attendance.Assignment",
    "api/v1/attendance/corrections": "attendance.Correction",
    "api/v1/attendance/days": "attendance.DayRecord",
    "api/v1/attendance/holidays": "attendance.Holiday",
    "api/v1/attendance/periods": "attendance.PayPeriod",
    "api/v1/employees": "identity.Employee",
    "api/v1/identity/sightings": "identity.Sighting",
    "api/v1/identity/snapshots": "identity.Snapshot",
    "api/v1/identity/unknown-faces": "identity.UnknownFace",
    "api/v1/occupancy/zones": "occupancy.Zone",
    "admin/attendance/payperiod": "attendance.PayPeriod",
    "admin/attendance/dayrecord": "identity.Employee",
    "api/v1/vehicles/allowed-plates": "vehicles.AllowedPlate",
    "api/v1/vehicles/blocked-plates": "vehicles.BlockedPlate",
    "api/v1/vehicles/watched-plates": "vehicles.WatchedPlate",
    "api/v1/vehicles/logs": "vehicles.PlateRead",
    "api/v1/vehicles/visits": "vehicles.Visit",
    "alerts": "alerts.Alert",
    "vehicles/review": "vehicles.PlateRead",
    "vehicles/visits": "vehicles.Visit",
    "faces/doubtful": "identity.Sighting",
    "faces/unknown": "identity.UnknownFace",
    "media/snapshots": "identity.Snapshot",
    "occupancy": "occupancy.Zone",
}
"""Whose row a parameter names, by the beginning of the address."""

WORDS = {
    "app_label": "attendance",
    "key": "camera",
    "kind": "csv",
    "month": "2026-03",
    "name": "occupancy.sum_hours",
    "period": "day",
    "url": "nothing-here",
    "content_type_id": "1",
    "object_id": "1",
}
QUERIES = {
    "GET /api/v1/attendance/grace-ledger": "employee={identity.Employee}&month=2026-03",
    "GET /api/v1/attendance/payroll-export": "period={attendance.PayPeriod}&format=csv",
    "GET /api/v1/occupancy/trends": "zone={occupancy.Zone}",
    "GET /api/video_feed": "camera={streaming.Camera}",
    "GET admin/autocomplete/": "app_label=attendance&model_name=assignment&field_name=employee&term=1",
}
CHECK = {"site": SITE, "employee_code": "E-7"}
BODIES: dict[str, Any] = {
    "POST /api/v1/alerts/{id}/acknowledge": {"note": "seen"},
    "POST /api/v1/attendance/assignments": {
        "employee": "{identity.Employee}",
        "shift": "{attendance.Shift}",
        "from_date": "2026-01-01",
        "to_date": "2026-01-31",
    },
    "PATCH /api/v1/attendance/assignments/{id}": {"to_date": "2026-12-01"},
    "POST /api/v1/attendance/check-in": {**CHECK, "check_in_time": AT},
    "POST /api/v1/attendance/check-out": {**CHECK, "check_out_time": AT},
    "POST /api/v1/attendance/corrections": {
        "employee": "{identity.Employee}",
        "kind": "add",
        "at": AT,
        "direction": "in",
        "reason": "forgot",
    },
    "POST /api/v1/attendance/corrections/{id}/decide": {"approve": False, "note": "no"},
    "POST /api/v1/attendance/days/{id}/review": {"flag": "late", "decision": "excused", "note": "bus"},
    "POST /api/v1/attendance/holidays": {"site": SITE, "date": "2026-08-15", "name": "Independence Day"},
    "POST /api/v1/attendance/periods": {"site": SITE, "first_date": "2026-06-01", "last_date": "2026-06-30"},
    "POST /api/v1/attendance/periods/{id}/lock": {},
    "POST /api/v1/attendance/periods/{id}/unlock": {"reason": "a mistake"},
    "POST /api/v1/attendance/punches": [
        {"event_id": "1", "site": SITE, "employee_code": "E-7", "at": AT, "direction": "in", "source": "gate"}
    ],
    "POST /api/v1/attendance/shifts": {"site": SITE, "name": "B", "starts_at": "14:00", "ends_at": "22:00"},
    "POST /api/v1/auth/token": {"username": "nobody", "password": "nothing"},
    "POST /api/v1/auth/refresh": {"refresh": "nothing"},
    "POST /api/v1/cameras": {"site": SITE, "slug": "new", "name": "New", "url": "rtsp://192.168.1.9/1"},
    "POST /api/v1/cameras/try": {"site": SITE, "url": "rtsp://8.8.8.8/1"},
    "PATCH /api/v1/cameras/{slug}": {"name": "Renamed"},
    "POST /api/v1/employees": {"site": SITE, "code": "N-1", "name": "New"},
    "PATCH /api/v1/employees/{id}": {"department": "Paint"},
    "POST /api/v1/employees/{employee}/consent": {"basis": "consent", "notice_version": "1", "given_date": DAY},
    "POST /api/v1/employees/{employee}/opt-out": {"other_method": "badge"},
    "POST /api/v1/identity/sightings/{id}/decide": {"employee": "{identity.Employee}"},
    "POST /api/v1/identity/snapshots/purge": {"dry_run": True, "accept_clock": True},
    "POST /api/v1/identity/snapshots/{id}/hold": {"reason": "police"},
    "POST /api/v1/identity/unknown-faces/{id}/assign": {"employee": "{identity.Employee}"},
    "POST /api/v1/identity/unknown-faces/{id}/visitor": {"note": "driver"},
    "POST /api/v1/identity/unknown-faces/{id}/merge": {"into": "{identity.UnknownFace}"},
    "POST /api/v1/occupancy/jobs/{name}/run": {"site": SITE},
    "POST /api/v1/occupancy/logs": [{"event_id": "1", "zone": "{occupancy.Zone}", "at": AT, "kind": "in"}],
    "POST /api/v1/occupancy/zones": {"site": SITE, "name": "Hall", "capacity": 10},
    "POST /api/v1/occupancy/zones/{id}/correct": {"count": 3, "reason": "counted"},
    "POST /api/v1/sites": {"slug": "nashik", "name": "Nashik", "timezone": "Asia/Kolkata"},
    "POST /api/v1/vehicles/allowed-plates": {"site": SITE, "plate": "MH12AB1234", "reason": "lorry", "kind": "visitor"},
    "POST /api/v1/vehicles/blocked-plates": {"site": SITE, "plate": "MH12AB1234", "reason": "theft"},
    "POST /api/v1/vehicles/watched-plates": {"site": SITE, "plate": "MH12AB1234", "reason": "look twice"},
    "PATCH /api/v1/vehicles/allowed-plates/{id}": {"reason": "still"},
    "PATCH /api/v1/vehicles/blocked-plates/{id}": {"reason": "still"},
    "PATCH /api/v1/vehicles/watched-plates/{id}": {"reason": "still"},
    "POST /api/v1/vehicles/logs/{id}/decide": {"verb": "discard"},
    "POST /api/v1/vehicles/reads": [
        {"event_id": "1", "camera": "{streaming.Camera}", "plate": "MH12AB1234", "confidence": 0.9, "captured_at": AT}
    ],
    "POST /api/v1/vehicles/same-plate": {"a": "MH12AB1234", "b": "MH 12 AB 1234"},
    "POST /api/v1/vehicles/validate-plate": {"plate": "MH12AB1234", "confidence": 0.9},
    "POST /api/v1/vehicle/validate-plate": {"plate": "MH12AB1234", "confidence": 0.9},
    "PATCH /api/v1/sites/{slug}": {"name": "Pune KAVERI"},
    "POST admin/attendance/payperiod/<int:pk>/unlock/": {"reason": "a mistake"},
    "POST admin/auth/user/<id>/password/": {"password1": "a new long sentence", "password2": "a new long sentence"},
    "POST admin/streaming/camera/try/": {"url": "rtsp://8.8.8.8/1", "slug": "{streaming.Camera}"},
    "POST alerts/<int:pk>/acknowledge": {"note": "seen"},
    "POST faces/unknown/<int:pk>/decide": {"verb": "dismiss"},
    "POST faces/doubtful/<int:pk>/decide": {"verb": "reject"},
    "POST occupancy/<int:pk>/correct": {"count": "3", "reason": "counted", "once": "1"},
    "POST start/<slug:key>": {"name": "New"},
    "POST vehicles/review/<int:pk>/decide": {"verb": "discard"},
    "POST admin/attendance/assignment/import/": {},
    "POST admin/attendance/holiday/import/": {},
    "POST admin/attendance/leave/import/": {},
    "POST admin/attendance/punch/import/": {},
    "POST admin/attendance/shiftversion/import/": {},
    "POST admin/identity/employee/import/": {},
    "POST admin/vehicles/allowedplate/import/": {},
    "POST admin/vehicles/blockedplate/import/": {},
    "POST admin/vehicles/watchedplate/import/": {},
    "POST scheduler/run": {"job": "occupancy.sum_hours"},
}
"""What the right person would send; who is not is refused whatever they send."""

PICTURES = {"POST /api/v1/employees/{employee}/faces", "POST /api/v1/identity/search"}
"""Operations that read a picture."""


def address(route: str, world: World) -> str:
    """Return the address of a route for the row of the home site."""
    path = route.partition(" ")[2].lstrip("/")
    filled = re.sub(r"<(?:\w+:)?(\w+)>|\{(\w+)\}", lambda found: _value(found[1] or found[2], path, world), path)
    query = QUERIES.get(route)
    return f"/{filled}" + (f"?{_named(query, world)}" if query else "")


def path_values(path: str, world: World) -> dict[str, str]:
    """Return the parameters in an operation's path that name the row of the home site."""
    return {name: _value(name, path.lstrip("/"), world) for name in re.findall(r"\{(\w+)\}", path)}


def _value(name: str, path: str, world: World) -> str:
    if name == "slug":
        return SITE if path.startswith("api/v1/sites") else world.row("streaming.Camera").slug
    if name == "face":
        return str(world.row("identity.Face").pk)
    if path.startswith("admin/auth/user"):
        return str(world.users["mgr"].pk)
    if path.startswith("blocks/"):
        return "alerts"
    if name in WORDS:
        return WORDS[name]
    label = next((label for prefix, label in ROWS.items() if path.startswith(prefix)), None)
    assert label, f"Say in ROWS whose row {path} names."
    return str(world.row(label).pk)


def _named(value: Any, world: World) -> Any:
    """Return ``value`` with ``{identity.Employee}`` replaced by the row of the home site."""
    if isinstance(value, dict):
        return {name: _named(inner, world) for name, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, world) for inner in value]
    if not isinstance(value, str):
        return value
    if whole := re.fullmatch(r"\{(\w+\.\w+)\}", value):
        row = world.row(whole[1])
        return row.slug if whole[1] == "streaming.Camera" else row.pk
    return re.sub(r"\{(\w+\.\w+)\}", lambda found: _shown(world.row(found[1], HOME)), value)


def _shown(row: Any) -> str:
    return row.slug if row._meta.label == "streaming.Camera" else str(row.pk)


def sending(route: str, world: World) -> dict[str, Any]:
    """Return what a request of ``route`` carries, for Django's test client."""
    if route in PICTURES:
        return {"data": {"image": SimpleUploadedFile("face.jpg", JPEG, "image/jpeg")}}
    if route.startswith("GET "):
        return {}
    body = _named(BODIES.get(route, {}), world)
    return {"data": body, "content_type": "application/json"} if "/api/" in route else {"data": body}
