"""Generated requests against every operation of the schema, in this process: what comes back must be as it says.

Schemathesis makes requests that fit the schema and requests that do not. Half of them name a row that exists. Each is
rolled back, so every case stands alone and a seed gives the same cases again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import hypothesis.strategies as st
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from rest_framework_simplejwt.tokens import AccessToken
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.failures import AcceptedNegativeData, Failure, FailureGroup, ServerError

from tests.access.asking import path_values
from tests.access.world import World

HELD = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
"""What is held of every answer: no fault; no status, type, header or body that the schema does not know; no nonsense
that is taken. A fitting request may be refused: rules know more than a schema can say."""

LEFT_OUT = {"video_feed": "a stream without an end; the tests of the feed read it"}
ASKED_AS = ("root", "root", "mgr", "hr", "sec", "dev")


@dataclass
class Outcome:
    """What was asked and what was wrong."""

    cases: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)


def _is_bulk(operation: Any) -> bool:
    """Whether it takes a list: a bad row of it is named in the answer, and its neighbours are taken."""
    content = operation.definition.raw.get("requestBody", {}).get("content", {})
    return any(media.get("schema", {}).get("type") == "array" for media in content.values())


def _is_known(fault: Exception, case: Any, answer: Any) -> bool:
    """Whether it is no fault: a 503 that is described, and an empty filter, which is none."""
    if isinstance(fault, ServerError):
        return answer.status_code == 503
    values = [
        inner for value in (case.query or {}).values() for inner in (value if isinstance(value, list) else [value])
    ]
    return isinstance(fault, AcceptedNegativeData) and "" in values


@contextmanager
def one_connection() -> Iterator[None]:
    """Keep the connection of the test between requests, which otherwise end with closing it."""
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (signals.request_started, signals.request_finished):
            signal.connect(close_old_connections)


def operations() -> Iterator[Any]:
    """Yield every operation of the schema that this code serves."""
    schema = schemathesis.openapi.from_wsgi("/api/schema", get_wsgi_application())
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.definition.raw["operationId"] not in LEFT_OUT:
            yield operation


def run(operation: Any, world: World, *, cases: int, seed: int, outcome: Outcome) -> None:
    """Ask one operation ``cases`` times; faults are noted by operation and kind, not raised."""
    names = [name for name in HELD if not (name == "negative_data_rejection" and _is_bulk(operation))]
    checks = CHECKS.get_by_names(names)
    tokens = [str(AccessToken.for_user(world.users[person])) for person in ASKED_AS]
    values = path_values(operation.path, world)
    positive, negative = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
    strategies = [operation.as_strategy(positive), operation.as_strategy(negative)]
    if values:
        strategies.append(operation.as_strategy(positive, path_parameters=values))
        strategies.append(operation.as_strategy(negative, path_parameters=values))

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=st.one_of(strategies), token=st.sampled_from(tokens))
    def ask(case: Any, token: str) -> None:
        with transaction.atomic():
            answer = case.call(headers={"Authorization": f"Bearer {token}"})
            transaction.set_rollback(True)
        outcome.cases += 1
        status = answer.status_code
        outcome.statuses["503" if status == 503 else f"{status // 100}xx"] += 1
        try:
            case.validate_response(answer, checks=checks)
        except (Failure, FailureGroup) as error:
            for fault in getattr(error, "exceptions", [error]):
                if _is_known(fault, case, answer):
                    continue
                label = f"{operation.label}: {type(fault).__name__}"
                outcome.faults.setdefault(label, f"{fault}\n{case.as_curl_command()[:600]}\n{answer.text[:300]}")

    ask()
