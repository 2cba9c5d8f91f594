"""The Rekognition engine over HTTP against a server that speaks its protocol: real client, real sockets, real faces."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import date

import cv2
import numpy as np
import pytest
from botocore.config import Config

from identity.analyser import FaceAnalyser
from identity.recognisers.base import PermanentError, RecogniserError, TransientError
from identity.recognisers.rekognition import (
    LIMIT_BYTES,
    DailySpend,
    RekognitionRecogniser,
    SpendingStopError,
    encode_face,
    make_client,
    retrying_aws,
)
from identity.recognisers.retries import (
    Allowance,
    CircuitBreaker,
    CircuitOpenError,
    Retrier,
    RetryPolicy,
    UsedUpError,
    paid_from,
)
from identity.rules import Outcome, decide_identity
from identity.tests.rekognition_server import ENGINE, RekognitionServer
from identity.tests.test_analyser import coming_nearer, passage, sightings
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


def connect(
    server: RekognitionServer, clock: Clock, *, limit: int | None = None, config: Config | None = None
) -> RekognitionRecogniser:
    retrier = Retrier(sleep=clock.sleep, clock=clock, breaker=CircuitBreaker(clock=clock))
    spend = DailySpend(limit, today=lambda: date(2026, 3, 2))
    client = make_client(endpoint_url=server.url, config=config, **KEYS)
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
    "RequestTimeout",
    "429",
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


@pytest.mark.parametrize("body", ["<html>Log in to the network</html>", "{}", "[]", "null", '{"FaceMatches": 7}'])
def test_an_answer_that_is_none_of_the_service_is_a_passing_fault(
    server: RekognitionServer, engine: RekognitionRecogniser, clock: Clock, driver: list[np.ndarray], body: str
) -> None:
    server.script = [body] * 9
    with pytest.raises(TransientError) as caught:
        search(engine, driver[0])
    assert (caught.value.code, len(server.calls), clock.sleeps) == ("bad_answer", 4, [1, 2, 4])


@pytest.mark.parametrize("step", FINAL)
def test_a_final_error_costs_exactly_one_request(
    server: RekognitionServer, engine: RekognitionRecogniser, clock: Clock, driver: list[np.ndarray], step: str
) -> None:
    server.script = [step]
    with pytest.raises(PermanentError) as caught:
        search(engine, driver[0])
    assert (caught.value.code, len(server.calls), clock.sleeps) == (step, 1, [])


def test_a_service_that_hangs_is_let_go_of_and_asked_four_times(server: RekognitionServer, clock: Clock) -> None:
    server.script, server.hang_s = ["hang"] * 9, 2.0
    engine = connect(server, clock, config=Config(read_timeout=0.2))
    with pytest.raises(TransientError) as caught:
        engine.create_collection()
    assert (caught.value.code, len(server.calls), clock.sleeps) == ("unreachable", 4, [1, 2, 4])


def test_the_last_attempt_ends_with_the_whole_call_however_long_one_may_take(
    server: RekognitionServer, clock: Clock
) -> None:
    server.script, server.hang_s = ["500", "hang", "hang"], 9.0
    engine = connect(server, clock, config=Config(connect_timeout=0.1, read_timeout=5))
    policy = RetryPolicy(first_wait_s=0.05, attempt_s=0.2, deadline_s=0.8)
    engine._retrier = Retrier(policy=policy, breaker=CircuitBreaker())
    began = time.monotonic()
    with pytest.raises(TransientError) as caught:
        engine.create_collection()
    assert (caught.value.code, len(server.calls)) == ("unreachable", 2)
    assert time.monotonic() - began < 4, "the time-out of one attempt alone is five seconds"


def test_a_request_outside_of_a_call_has_the_clients_own_time(server: RekognitionServer) -> None:
    server.script = ["slow"]
    client = make_client(endpoint_url=server.url, **KEYS)
    assert client.list_faces(CollectionId="factory")["Faces"] == []


def test_a_face_costs_four_requests_however_many_calls_it_takes(
    server: RekognitionServer, engine: RekognitionRecogniser, clock: Clock, driver: list[np.ndarray]
) -> None:
    server.script = ["503", "ok", "503", "503", "503"]
    with paid_from(Allowance()):
        assert search(engine, driver[0]) == []
        with pytest.raises(TransientError):
            search(engine, driver[1])
        assert (len(server.calls), clock.sleeps) == (4, [1, 1])
        with pytest.raises(UsedUpError):
            search(engine, driver[1])
    assert len(server.calls) == 4
    assert not engine._retrier.breaker.is_open


def test_a_passage_of_two_searches_costs_four_requests_while_the_service_fails(
    server: RekognitionServer, engine: RekognitionRecogniser, driver: list[np.ndarray]
) -> None:
    """The first search meets two faults and names nobody; the better shot's may cost the one request that is left."""
    server.script = ["503", "503", "ok", "503", "ok"]
    images = coming_nearer(driver[0], 12)
    found = sightings(passage(FaceAnalyser(engine, {}), [*images, *images[-1:] * 4]))
    assert [observation.data["outcome"] for observation in found] == ["unknown"]
    assert len(server.calls) == 4


def test_a_slow_answer_is_waited_for(
    server: RekognitionServer, engine: RekognitionRecogniser, clock: Clock, driver: list[np.ndarray]
) -> None:
    server.script = ["slow"]
    assert search(engine, driver[0]) == []
    assert (len(server.calls), clock.sleeps) == (1, [])


def test_a_wrong_clock_is_not_tried_again_and_rests_the_service(
    server: RekognitionServer, engine: RekognitionRecogniser, clock: Clock
) -> None:
    server.clock_ahead_s = 3600
    with pytest.raises(PermanentError, match="clock") as caught:
        list(engine.faces())
    assert (caught.value.code, len(server.calls), clock.sleeps) == ("InvalidSignatureException", 1, [])
    with pytest.raises(CircuitOpenError):
        list(engine.faces())


def test_with_three_faults_in_ten_nearly_all_of_what_would_fail_succeeds(
    server: RekognitionServer, engine: RekognitionRecogniser, clock: Clock
) -> None:
    """Every call that begins with a fault would have failed without retries."""
    chance, would_fail, failed = random.Random(5), 0, 0
    for _ in range(200):
        server.script = [chance.choice(TRIED_AGAIN) if chance.random() < 0.3 else "ok" for _ in range(4)]
        would_fail += server.script[0] != "ok"
        asked = len(server.calls)
        try:
            list(engine.faces())
        except TransientError:
            failed += 1
        assert len(server.calls) - asked <= 4
        clock.now += 1
    assert would_fail > 40
    assert failed <= 0.05 * would_fail


def test_the_decorator_retries_a_boto3_call_as_often_as_told(server: RekognitionServer, clock: Clock) -> None:
    client = make_client(endpoint_url=server.url, **KEYS)

    @retrying_aws(max_retries=2, sleep=clock.sleep, clock=clock)
    def list_faces() -> dict:
        return client.list_faces(CollectionId="factory")

    server.script = ["ThrottlingException", "500"]
    assert list_faces()["Faces"] == []
    assert (len(server.calls), clock.sleeps) == (3, [1, 2])
    server.script = ["AccessDeniedException"]
    with pytest.raises(PermanentError):
        list_faces()
    assert len(server.calls) == 4


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
