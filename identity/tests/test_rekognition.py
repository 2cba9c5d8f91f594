"""The Rekognition engine over HTTP against a server that speaks its protocol: real client, real sockets, real faces."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import cv2
import numpy as np
import pytest

from identity.recognisers.base import PermanentError, RecogniserError, TransientError
from identity.recognisers.rekognition import (
    LIMIT_BYTES,
    DailySpend,
    RekognitionRecogniser,
    SpendingStopError,
    encode_face,
    make_client,
)
from identity.recognisers.retries import CircuitBreaker, CircuitOpenError, Retrier
from identity.rules import Outcome, decide_identity
from identity.tests.rekognition_server import ENGINE, RekognitionServer
from identity.tests.test_local_recogniser import clip_frames
from identity.tests.test_retries import Clock

KEYS = {"region_name": "ap-south-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture(scope="module")
def driver() -> list[np.ndarray]:
    return clip_frames("carphone_pristine.mp4", (0, 60))


@pytest.fixture
def server() -> Iterator[RekognitionServer]:
    with RekognitionServer() as server:
        server.collections["factory"] = {}
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(server: RekognitionServer, clock: Clock) -> RekognitionRecogniser:
    return connect(server, clock)


def connect(server: RekognitionServer, clock: Clock, *, limit: int | None = None) -> RekognitionRecogniser:
    retrier = Retrier(sleep=clock.sleep, clock=clock, breaker=CircuitBreaker(clock=clock))
    spend = DailySpend(limit, today=lambda: date(2026, 3, 2))
    client = make_client(endpoint_url=server.url, **KEYS)
    return RekognitionRecogniser(client, "factory", spend=spend, retrier=retrier, finder=ENGINE)


def search(engine: RekognitionRecogniser, image: np.ndarray) -> list:
    return list(engine.search(image, engine.find_faces(image)[0]))


def test_an_enrolled_person_is_known_and_gone_after_deletion(
    engine: RekognitionRecogniser, driver: list[np.ndarray]
) -> None:
    indexed = engine.index(driver[0], engine.find_faces(driver[0])[0], "EMP-1")
    decision = decide_identity(search(engine, driver[1]), engine.thresholds)
    assert (decision.outcome, decision.person) == (Outcome.KNOWN, "EMP-1")
    assert engine.delete([indexed.face_id]) == 1
    assert search(engine, driver[1]) == []


def test_all_pages_of_the_collection_are_listed(engine: RekognitionRecogniser, driver: list[np.ndarray]) -> None:
    face = engine.find_faces(driver[0])[0]
    indexed = {engine.index(driver[0], face, f"EMP-{number}") for number in range(5)}
    assert set(engine.faces()) == indexed


def test_a_collection_that_exists_is_as_good_as_a_created_one(engine: RekognitionRecogniser) -> None:
    engine.create_collection()


def test_no_face_is_an_answer_not_a_failure(
    server: RekognitionServer, engine: RekognitionRecogniser, driver: list[np.ndarray]
) -> None:
    server.script = ["no_face"]
    assert search(engine, driver[0]) == []
    assert len(server.calls) == 1


TRIED_AGAIN = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "InternalServerError",
    "500",
    "503",
    "reset",
]
FINAL = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "ImageTooLargeException",
    "InvalidImageFormatException",
    "InvalidParameterException",
    "LimitExceededException",
    "ResourceNotFoundException",
    "ServiceQuotaExceededException",
    "UnrecognizedClientException",
]


@pytest.mark.parametrize("step", TRIED_AGAIN)
def test_a_passing_fault_costs_exactly_four_requests_and_seven_seconds(
    server: RekognitionServer, engine: RekognitionRecogniser, clock: Clock, driver: list[np.ndarray], step: str
) -> None:
    server.script = [step] * 9
    with pytest.raises(TransientError):
        search(engine, driver[0])
    assert len(server.calls) == 4
    assert clock.sleeps == [1, 2, 4]


@pytest.mark.parametrize("step", FINAL)
def test_a_final_error_costs_exactly_one_request(
    server: RekognitionServer, engine: RekognitionRecogniser, clock: Clock, driver: list[np.ndarray], step: str
) -> None:
    server.script = [step]
    with pytest.raises(PermanentError) as caught:
        search(engine, driver[0])
    assert (caught.value.code, len(server.calls), clock.sleeps) == (step, 1, [])


def test_refused_keys_rest_the_service_at_once(
    server: RekognitionServer, engine: RekognitionRecogniser, driver: list[np.ndarray]
) -> None:
    server.script = ["AccessDeniedException"]
    with pytest.raises(PermanentError):
        search(engine, driver[0])
    with pytest.raises(CircuitOpenError):
        search(engine, driver[0])
    assert len(server.calls) == 1


def test_nothing_is_sent_once_the_days_budget_is_used_up(
    server: RekognitionServer, clock: Clock, driver: list[np.ndarray]
) -> None:
    engine = connect(server, clock, limit=3)
    sent = 0
    for _ in range(5):
        try:
            search(engine, driver[0])
            sent += 1
        except SpendingStopError:
            pass
    assert (sent, len(server.calls), clock.sleeps) == (3, 3, [])


def test_a_service_that_nobody_runs_is_a_passing_fault(clock: Clock, driver: list[np.ndarray]) -> None:
    with RekognitionServer() as server:
        engine = connect(server, clock)
    with pytest.raises(RecogniserError) as caught:
        search(engine, driver[0])
    assert (caught.value.code, clock.sleeps) == ("unreachable", [1, 2, 4])


def test_what_is_sent_is_the_face_alone_and_within_the_limits(
    server: RekognitionServer, engine: RekognitionRecogniser, driver: list[np.ndarray]
) -> None:
    large = cv2.resize(driver[0], (8192, 6704))
    search(engine, large)
    sent = cv2.imdecode(np.frombuffer(server.received[-1], np.uint8), cv2.IMREAD_COLOR)
    assert len(server.received[-1]) <= LIMIT_BYTES
    assert max(sent.shape[:2]) <= 1280
    assert b"Exif" not in server.received[-1]


def test_a_small_face_is_enlarged_to_what_the_service_takes(
    engine: RekognitionRecogniser, driver: list[np.ndarray]
) -> None:
    small = cv2.resize(driver[0], None, fx=0.6, fy=0.6)
    data = encode_face(small, engine.find_faces(small)[0])
    assert min(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2]) >= 80
