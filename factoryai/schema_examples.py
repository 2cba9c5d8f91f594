"""An example of every model in the OpenAPI schema, made of its fields: names of the floor, and values that fit."""

from __future__ import annotations

import re
from typing import Any, Final

REFERENCE: Final = "#/components/schemas/"
AT: Final = "2026-03-02T02:36:12Z"
BY_NAME: Final[dict[str, Any]] = {
    "a": "MH 12 AB 1234",
    "absent_below_minutes": 120,
    "access": "eyJhbGciOiJIUzI1NiJ9.access.signature",
    "acknowledged_by": "farid",
    "at": "2026-03-02T08:06:12+05:30",
    "b": "MH12AB1234",
    "camera": "gate",
    "candidates": ["MH12AB1234"],
    "captured_at": "2026-03-02T08:06:12+05:30",
    "check_in_time": "2026-03-02T08:06:12+05:30",
    "check_out_time": "2026-03-02T17:01:40+05:30",
    "code": "E-1042",
    "confidence": 0.94,
    "department": "Assembly",
    "employee_code": "E-1042",
    "employee_name": "Asha Patil",
    "ends_at": "17:00",
    "event_id": "gate-000123",
    "expires_in": 900,
    "first_in": "2026-03-02T02:36:12Z",
    "last_out": "2026-03-02T11:31:40Z",
    "match_key": "MH12AB1234",
    "message": "late: This field is required.",
    "month": "2026-03",
    "name": "Main gate",
    "next": None,
    "note": "Talked to the driver",
    "password": "a long sentence to log in with",
    "plate": "MH 12 AB 1234",
    "previous": None,
    "reason": "Theft of material",
    "refresh": "eyJhbGciOiJIUzI1NiJ9.refresh.signature",
    "reset_at": "03:00",
    "reviewed_by": "meena",
    "rule": "past_grace",
    "seq": 4711,
    "shift_name": "A",
    "site": "pune",
    "slug": "gate",
    "source": "rtsp://***:***@192.168.1.20/stream1",
    "starts_at": "08:00",
    "timezone": "Asia/Kolkata",
    "title": "MH 12 AB 1234 is at the gate",
    "url": "rtsp://viewer:secret@192.168.1.20/stream1",
    "username": "meena",
    "why": "08:06:12 is 72 s past the 5 minutes of grace.",
}
BY_FORMAT: Final = {"date": "2026-03-02", "date-time": AT, "uuid": "7d3e8c1a-5a0b-4c64-9a4e-1f2f6c7b9d10", "uri": None}
DEEPEST: Final = 5


def add_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Give each model an example unless it has one; a hook of drf-spectacular, the last."""
    schemas = result["components"]["schemas"]
    for schema in schemas.values():
        if schema.get("type") == "object" and "example" not in schema:
            schema["example"] = _example("", schema, schemas, 0)
    return result


def _example(name: str, schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:
    if "$ref" in schema:
        return _example(name, schemas[schema["$ref"].removeprefix(REFERENCE)], schemas, depth)
    if "allOf" in schema:
        return _example(name, schema["allOf"][0], schemas, depth)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        fields = {} if depth > DEEPEST else schema.get("properties", {})
        return {one: _example(one, inner, schemas, depth + 1) for one, inner in fields.items()}
    if schema.get("type") == "array":
        return [_example(name.removesuffix("s"), schema["items"], schemas, depth + 1)] * schema.get("minItems", 1)
    return _plain(name, schema)


def _plain(name: str, schema: dict[str, Any]) -> Any:
    named = BY_NAME.get(name)
    if name in BY_NAME and (fits(named, schema) or (named is None and schema.get("nullable"))):
        return named
    kind = schema.get("type")
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        return schema.get("default", max(schema.get("minimum", 0), min(1, schema.get("maximum", 1))))
    if "format" in schema:
        return BY_FORMAT.get(schema["format"]) or "text"
    text = "08:00" if "pattern" in schema and re.match(schema["pattern"], "08:00") else "text"
    return text[: schema.get("maxLength", len(text))]


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value has the type that a field says."""
    types = {"string": str, "integer": int, "number": int | float, "boolean": bool}
    kind = types.get(schema.get("type", ""))
    longest = schema.get("maxLength")
    return bool(kind) and isinstance(value, kind) and not (longest and isinstance(value, str) and len(value) > longest)
