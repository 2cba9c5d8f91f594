"""What the OpenAPI schema says of the addresses that the API framework does not serve: pictures, health and figures."""

from __future__ import annotations

from typing import Any, Final

from factoryai.rest import STATUSES

Parts = dict[str, Any]

TEXT: Final = {"type": "string"}
BINARY: Final = {"type": "string", "format": "binary"}
TIERS: Final = ["full", "medium", "tile"]
STATES: Final = ["live", "stale", "offline", "disabled"]
LOGGED_IN: Final = [{"jwtAuth": []}, {"cookieAuth": []}]
NO_LOGIN: Final = {}
FRAME_HEADERS: Final = {
    "ETag": {"schema": TEXT, "description": "Send it as `If-None-Match` to be told that nothing changed."},
    "X-Frame-Age": {"schema": {"type": "number"}, "description": "Age of the picture in seconds."},
    "X-State": {"schema": {"type": "string", "enum": STATES}, "description": "State of the camera."},
}
NO_PICTURE: Final = "There is no picture: none was shown yet, or the picture connection is lost."


def describe(result: Parts, **_: Any) -> Parts:
    """Add the plain views to a schema, in the order of their paths; a hook of drf-spectacular."""
    result["paths"] = dict(sorted({**result["paths"], **PATHS}.items()))
    result["components"]["schemas"] = dict(sorted({**result["components"]["schemas"], **MESSAGES}.items()))
    return result


def _operation(name: str, tag: str, summary: str, text: str, responses: Parts, **more: Any) -> Parts:
    said = {"operationId": name, "tags": [tag], "summary": summary, "description": text, **more}
    return {"get": {**said, "responses": responses}}


def _answer(text: str, media_type: str, schema: Parts, headers: Parts | None = None) -> Parts:
    answer = {"description": text, "content": {media_type: {"schema": schema}}}
    return {**answer, "headers": headers} if headers else answer


def _error(text: str) -> Parts:
    return _answer(text, "application/json", {"$ref": "#/components/schemas/Error"})


def _errors(*codes: int) -> Parts:
    return {str(code): _error(STATUSES[code]) for code in codes}


def _asked(name: str, place: str, text: str, schema: Parts = TEXT) -> Parts:
    return {"name": name, "in": place, "required": place == "path", "description": text, "schema": schema}


TICKET: Final = _asked("ticket", "query", "From `stream-ticket`; stands for the login and names the camera.")
FEED: Final = _operation(
    "video_feed",
    "cameras",
    "Stream of a camera",
    "The newest pictures for as long as the connection is read: each part is a JPEG with `X-Timestamp` (Unix time of "
    "the picture in seconds), `X-State` and `X-Frame-Age` (seconds). A picture older than 2 s comes dimmed, with its "
    "age written on it, once a second.",
    {
        "200": _answer("Pictures without end.", "multipart/x-mixed-replace; boundary=frame", BINARY),
        **_errors(400, 401, 404),
    },
    parameters=[
        _asked("camera", "query", "Its slug; without it the first camera you may see."),
        _asked("tier", "query", "Size.", {"type": "string", "enum": TIERS, "default": TIERS[0]}),
        _asked(
            "fps",
            "query",
            "At most so many pictures a second; without it every one.",
            {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 30},
        ),
        TICKET,
    ],
    security=[*LOGGED_IN, NO_LOGIN],
)
SNAPSHOT: Final = _operation(
    "cameras_snapshot_retrieve",
    "cameras",
    "Newest picture of a camera",
    "Dimmed, with its age written on it, when it is not live.",
    {
        "200": _answer("The picture.", "image/jpeg", BINARY, FRAME_HEADERS),
        "304": {"description": "It is the picture you have.", "headers": FRAME_HEADERS},
        **_errors(401, 404),
        "503": _error(NO_PICTURE),
    },
    parameters=[
        _asked("slug", "path", "The camera."),
        _asked("If-None-Match", "header", "`ETag` of the picture you have."),
        TICKET,
    ],
    security=[*LOGGED_IN, NO_LOGIN],
)
FINDING: Final = {
    "type": "object",
    "properties": {"status": {"type": "string", "enum": ["ok", "degraded", "down"]}, "message": TEXT},
    "required": ["status", "message"],
}
CHECKS: Final = ("database", "broker", "scheduler", "cameras", "disk")
HEALTH_BODY: Final = {
    "type": "object",
    "properties": {
        "status": FINDING["properties"]["status"],
        "checks": {"type": "object", "properties": dict.fromkeys(CHECKS, FINDING), "required": [*CHECKS]},
    },
    "required": ["status", "checks"],
}
HEALTH: Final = _operation(
    "health",
    "operation",
    "Whether the parts work",
    "Answers within two seconds whatever hangs.",
    {
        "200": _answer("`ok` or `degraded`.", "application/json", HEALTH_BODY),
        "503": _answer("`down`: the database does not answer.", "application/json", HEALTH_BODY),
    },
    security=[NO_LOGIN],
)
METRICS: Final = _operation(
    "metrics",
    "operation",
    "Figures for Prometheus",
    "Totals for anybody; figures by camera for who may watch it, with a login.",
    {"200": _answer("Prometheus' text form.", "text/plain", TEXT)},
    security=[*LOGGED_IN, NO_LOGIN],
)
MESSAGES: Final = {
    "Event": {
        "type": "object",
        "description": "A message of `/ws/events`: something changed. It says what and where, never the content.",
        "properties": {
            "seq": {"type": "integer", "description": "Go on from it with `?after=`; it grows by one."},
            "kind": {
                "type": "string",
                "description": "`alert`, `camera`, … or `ready` and `reset`, of the socket itself.",
            },
            "site": {**TEXT, "nullable": True},
            "id": {**TEXT, "nullable": True, "description": "Of what changed."},
        },
        "required": ["seq", "kind", "site", "id"],
    }
}
PATHS: Final = {
    "/api/health": HEALTH,
    "/api/v1/cameras/{slug}/snapshot.jpg": SNAPSHOT,
    "/api/video_feed": FEED,
    "/metrics": METRICS,
}
