"""The AWS Rekognition engine: one collection per installation, one best shot per request, one retry layer.

Faces are found locally first, so a picture without a usable face costs nothing. What is sent is the face with some
surroundings, re-encoded as JPEG: no EXIF, no neighbours, never above the service's limits.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ParamSpec, Protocol, TypeVar

import boto3
import cv2
import numpy as np
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
)
from botocore.parsers import ResponseParserError

from identity.recognisers.base import Face, PermanentError, TransientError
from identity.recognisers.local import LocalRecogniser
from identity.recognisers.retries import Retrier, attempt_left_s, retrying
from identity.rules import REKOGNITION, Candidate, Decision, Thresholds, decide_identity

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

LIMIT_BYTES = 5_242_880
"""Largest picture a request may carry (Rekognition developer guide, limits)."""

LONG_SIDE = 1280
SMALLEST_SIDE = 80
SURROUNDINGS = 0.6
"""How much of a face's width and height is sent along on each side; the service wants a head, not a mask."""

TRANSIENT = frozenset(
    {
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "InternalServerError",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "TooManyRequestsException",
    }
)
TOO_MANY = 429
HOPELESS = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Errors of the keys or of the clock: every other call would fail as well."""

PAID = frozenset({"index_faces", "search_faces_by_image"})
"""What looks at a picture has a price; a day's budget must not keep a person from being erased."""

ANSWERS = {
    "search_faces_by_image": "FaceMatches",
    "index_faces": "FaceRecords",
    "delete_faces": "DeletedFaces",
    "list_faces": "Faces",
}
"""Operation → the list that its answer holds. A proxy may answer 200 with a page of its own."""

CLIENT_CONFIG = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=8
)
"""The SDK's own retries are off: they would multiply with ours."""


class SpendingStopError(PermanentError):
    """Today's number of paid requests is used up; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("spending_stop", "today's budget of paid face searches is used up")


class BadAnswerError(TransientError):
    """Something answered, and not as the service does."""

    def __init__(self) -> None:
        super().__init__("bad_answer", "the answer is not one of the face service: is there a proxy on the way?")


class Spend(Protocol):
    """Counts what is paid for."""

    def spend(self) -> None:
        """Count one request; raises `SpendingStopError` instead of counting one too many."""
        ...


@dataclass(slots=True)
class DailySpend:
    """Counts paid requests by UTC day and stops at ``limit``; None means no limit."""

    limit: int | None
    today: Callable[[], date]
    _day: date | None = field(default=None, init=False)
    _spent: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def spend(self) -> None:
        """Count one request; raises `SpendingStopError` instead of counting the one too many."""
        with self._lock:
            if self._day != self.today():
                self._day, self._spent = self.today(), 0
            if self.limit is not None and self._spent >= self.limit:
                raise SpendingStopError
            self._spent += 1


def make_client(*, config: Config | None = None, **options: Any) -> Any:
    """Return the client that all threads share; ``options`` are boto3's (region, keys, ``endpoint_url``).

    ``config`` is laid over `CLIENT_CONFIG`. An attempt made under a `Retrier` waits no longer than its deadline.
    """
    client = boto3.client("rekognition", config=CLIENT_CONFIG.merge(config) if config else CLIENT_CONFIG, **options)
    client.meta.events.register("before-call.rekognition", cut_to_deadline)
    return client


def cut_to_deadline(context: dict[str, Any], **_: Any) -> None:
    """Let one request wait for its answer only while the whole call has time, what connecting may take set aside."""
    config = context["client_config"]
    context["read_timeout"] = min(config.read_timeout, max(0.05, attempt_left_s() - config.connect_timeout))


@dataclass(frozen=True, slots=True)
class IndexedFace:
    """What the service keeps for one enrolled photograph."""

    face_id: str
    person: str


class RekognitionRecogniser:
    """Searches one collection. ``spend`` counts what is paid for; every request that has a price passes it once."""

    thresholds: Thresholds = REKOGNITION

    def __init__(
        self,
        client: Any,
        collection: str,
        *,
        spend: Spend,
        retrier: Retrier | None = None,
        finder: LocalRecogniser | None = None,
        owners_of: Callable[[Sequence[str]], Mapping[str, str]] | None = None,
    ) -> None:
        """``owners_of`` says whose the face ids are that the service found; one it does not know is drift: it is
        logged and resembles nobody. An empty owner is nobody to be named. Without it the name that the service keeps
        is believed."""
        self._client, self._collection, self._spend = client, collection, spend
        self._owners_of = owners_of
        self._retrier = retrier or Retrier()
        self._finder = finder or LocalRecogniser()

    def find_faces(self, image: np.ndarray) -> Sequence[Face]:
        return self._finder.find_faces(image)

    def search(self, image: np.ndarray, face: Face) -> Sequence[Candidate]:
        """Return the people the face resembles, in per cent. A face the service cannot find resembles nobody."""
        try:
            answer = self._ask(
                "search_faces_by_image",
                Image={"Bytes": encode_face(image, face)},
                FaceMatchThreshold=self.thresholds.review,
                MaxFaces=10,
                QualityFilter="AUTO",
            )
        except PermanentError as error:
            if error.code == "no_face":
                return []
            raise
        best: dict[str, float] = {}
        for person, similarity in self._owned(answer["FaceMatches"]):
            best[person] = max(best.get(person, 0.0), similarity)
        return sorted((Candidate(p, s) for p, s in best.items()), key=lambda c: c.similarity, reverse=True)

    def identify(self, image: np.ndarray, face: Face) -> Decision:
        return decide_identity(self.search(image, face), self.thresholds)

    def embed(self, image: np.ndarray, face: Face) -> np.ndarray:
        return self._finder.embed(image, face)

    def _owned(self, matches: Sequence[dict[str, Any]]) -> Iterator[tuple[str, float]]:
        if self._owners_of is None:
            for match in matches:
                yield match["Face"].get("ExternalImageId") or match["Face"]["FaceId"], match["Similarity"]
            return
        owners = self._owners_of([match["Face"]["FaceId"] for match in matches])
        for match in matches:
            person = owners.get(match["Face"]["FaceId"])
            if person is None:
                log.warning("Collection %s holds a face that is not ours; reconcile_faces tells.", self._collection)
            elif person:
                yield person, match["Similarity"]

    def create_collection(self) -> None:
        """Create the collection; one that exists is as good."""
        try:
            self._ask("create_collection")
        except PermanentError as error:
            if error.code != "ResourceAlreadyExistsException":
                raise

    def index(self, image: np.ndarray, face: Face, person: str) -> IndexedFace:
        """Enrol one face of ``person`` and return its id; raises `PermanentError` with the service's own reason."""
        answer = self._ask(
            "index_faces",
            Image={"Bytes": encode_face(image, face)},
            ExternalImageId=person,
            MaxFaces=1,
            QualityFilter="AUTO",
        )
        if not answer["FaceRecords"]:
            reasons = [reason for face in answer.get("UnindexedFaces", ()) for reason in face.get("Reasons", ())]
            raise PermanentError("not_indexed", ", ".join(reasons) or "the service found no face to enrol")
        return IndexedFace(answer["FaceRecords"][0]["Face"]["FaceId"], person)

    def delete(self, face_ids: Sequence[str]) -> int:
        """Delete faces by id, 4,096 a request, and return how many the service says are gone."""
        gone = 0
        for start in range(0, len(face_ids), 4096):
            gone += len(self._ask("delete_faces", FaceIds=list(face_ids[start : start + 4096]))["DeletedFaces"])
        return gone

    def faces(self) -> Iterator[IndexedFace]:
        """Yield every face of the collection, page by page."""
        token: dict[str, str] = {}
        while True:
            page = self._ask("list_faces", MaxResults=1000, **token)
            yield from (IndexedFace(face["FaceId"], face.get("ExternalImageId", "")) for face in page["Faces"])
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self._retrier.call(lambda: self._send(operation, parameters))

    def _send(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Make exactly one request and turn every failure into one of ours, an answer that is none included."""
        if operation in PAID:
            self._spend.spend()
        request = getattr(self._client, operation)
        with errors_of_ours():
            try:
                answer = request(CollectionId=self._collection, **parameters)
            except (AttributeError, TypeError, ValueError, ResponseParserError) as error:
                raise BadAnswerError from error
        if operation in ANSWERS and not isinstance(answer.get(ANSWERS[operation]), list):
            raise BadAnswerError
        return answer


@contextmanager
def errors_of_ours() -> Iterator[None]:
    """Turn every failure of a boto3 call into a `TransientError` or a `PermanentError`."""
    try:
        yield
    except ClientError as error:
        raise judge_error(error) from error
    except (ConnectionError, EndpointConnectionError, HTTPClientError) as error:
        raise TransientError("unreachable", f"the face service did not answer: {type(error).__name__}") from error
    except NoCredentialsError as error:
        raise PermanentError("no_credentials", "no AWS keys are set", opens_circuit=True) from error
    except BotoCoreError as error:
        raise PermanentError("refused_here", f"the request was not sent: {type(error).__name__}") from error


def retrying_aws(max_retries: int = 3, **options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function that makes one boto3 call: tried again as `retries.retrying` does, on passing faults only.

    The SDK's own retries must be off in its client, as in that of `make_client`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def attempt(*args: P.args, **kwargs: P.kwargs) -> R:
            with errors_of_ours():
                return function(*args, **kwargs)

        return retrying(max_retries, **options)(attempt)

    return decorate


def judge_error(error: ClientError) -> TransientError | PermanentError:
    """Sort one answer of the service: transient by its code or a 5xx or 429 status, everything else for good.

    "No face" shares its code with a truly bad parameter, so the text decides.
    """
    code = error.response.get("Error", {}).get("Code", "unknown")
    text = error.response.get("Error", {}).get("Message") or ""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in TRANSIENT or status == TOO_MANY or status >= 500:
        return TransientError(code, text or code)
    if code == "InvalidParameterException" and "no faces" in text.lower():
        return PermanentError("no_face", text)
    return PermanentError(code, text or code, opens_circuit=code in HOPELESS)


def encode_face(image: np.ndarray, face: Face) -> bytes:
    """Cut the face with its surroundings out of a BGR picture and encode it as JPEG within the service's limits."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = face.box
    grow_x, grow_y = (x2 - x1) * SURROUNDINGS, (y2 - y1) * SURROUNDINGS
    left, top = max(0, int(x1 - grow_x)), max(0, int(y1 - grow_y))
    crop = image[top : max(top + 1, min(height, int(y2 + grow_y))), left : max(left + 1, min(width, int(x2 + grow_x)))]
    side, short = max(crop.shape[:2]), min(crop.shape[:2])
    ratio = min(LONG_SIDE / side, 1.0) if short >= SMALLEST_SIDE else SMALLEST_SIDE / short
    if ratio != 1.0:
        crop = cv2.resize(
            crop, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
        )
    for quality in (92, 80, 60):
        _, data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if data.nbytes <= LIMIT_BYTES:
            break
    return data.tobytes()
