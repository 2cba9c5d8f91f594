"""A real HTTP server on loopback that speaks Rekognition's JSON protocol, recognises faces, and fails as told.

It keeps collections in memory and compares faces with the local engine, so that what is searched is really looked at.
``script`` holds one step per request: ``"ok"``, an error code, ``"500"``, ``"503"``, ``"hang"``, ``"slow"``,
``"reset"``, ``"lost"`` (done, and the answer never sent) or ``"no_face"``, or the very body to answer 200 with, which
begins as HTML or JSON does; when it is used up every request is ``"ok"``. ``clock_ahead_s`` is how far its clock is
ahead of the machine's: like the real service it refuses what was signed more than five minutes off.

``python -m identity.tests.rekognition_server 8161`` runs one until Ctrl-C.
"""

from __future__ import annotations

import base64
import datetime as dt
import http.server
import json
import struct
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import cv2
import numpy as np

from identity.recognisers.local import LocalRecogniser

SKEW_S = 300
STATUS = {"AccessDeniedException": 400, "InternalServerError": 500, "ServiceUnavailableException": 503}


ENGINE = LocalRecogniser()
LOOKER = ThreadPoolExecutor(1)
"""Looks at every picture: the nets are loaded by each thread that uses them, and a server has one for each client."""


class RefusalError(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class RekognitionServer(http.server.ThreadingHTTPServer):
    """``with RekognitionServer(script) as server:`` then ``server.url`` and ``server.calls``."""

    daemon_threads = True

    def __init__(self, script: Iterable[str] = (), *, hang_s: float = 30.0, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.script, self.hang_s = list(script), hang_s
        self.clock_ahead_s = 0.0
        self.is_picky = False
        """Whether every photo is found too poor to enrol."""
        self.after: Callable[[str], object] | None = None
        """Called with the operation once it is done and before it is answered: what happens meanwhile elsewhere."""
        self.calls: list[str] = []
        self.received: list[bytes] = []
        self.collections: dict[str, dict[str, tuple[str, np.ndarray]]] = {}
        self.lock = threading.Lock()
        LOOKER.submit(ENGINE.find_faces, np.zeros((32, 32, 3), np.uint8)).result()  # no client waits for the nets
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that gave up is part of the test."""

    def embed(self, body: dict[str, Any]) -> np.ndarray:
        data = base64.b64decode(body["Image"]["Bytes"])
        self.received.append(data)
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise RefusalError("InvalidImageFormatException", "Request has invalid image format")
        return LOOKER.submit(self.look_at, image).result()

    @staticmethod
    def look_at(image: np.ndarray) -> np.ndarray:
        faces = ENGINE.find_faces(image)
        if not faces:
            raise RefusalError("InvalidParameterException", "There are no faces in the image. Should be at least 1.")
        return ENGINE.embed(image, faces[0])

    def collection(self, body: dict[str, Any]) -> dict[str, tuple[str, np.ndarray]]:
        try:
            return self.collections[body["CollectionId"]]
        except KeyError:
            raise RefusalError("ResourceNotFoundException", "The collection id does not exist") from None

    def create_collection(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["CollectionId"] in self.collections:
            raise RefusalError("ResourceAlreadyExistsException", "The collection id already exists")
        self.collections[body["CollectionId"]] = {}
        return {"StatusCode": 200, "FaceModelVersion": "7.0"}

    def index_faces(self, body: dict[str, Any]) -> dict[str, Any]:
        faces = self.collection(body)
        if self.is_picky:
            return {"FaceRecords": [], "UnindexedFaces": [{"Reasons": ["LOW_SHARPNESS"]}]}
        face_id = str(uuid.uuid4())
        faces[face_id] = (body["ExternalImageId"], self.embed(body))
        face = {"FaceId": face_id, "ExternalImageId": body["ExternalImageId"], "Confidence": 99.9}
        return {"FaceRecords": [{"Face": face}], "UnindexedFaces": [], "FaceModelVersion": "7.0"}

    def search_faces_by_image(self, body: dict[str, Any]) -> dict[str, Any]:
        """Map a cosine of 0.4 to 99 per cent and 0.363 to 80, as the thresholds of both engines correspond."""
        vector, matches = self.embed(body), []
        for face_id, (person, known) in self.collection(body).items():
            similarity = float(np.interp(vector @ known, [-1, 0.363, 0.4, 1], [0, 80, 99, 100]))
            if similarity >= body["FaceMatchThreshold"]:
                matches.append({"Similarity": similarity, "Face": {"FaceId": face_id, "ExternalImageId": person}})
        matches.sort(key=lambda match: match["Similarity"], reverse=True)
        return {"SearchedFaceConfidence": 99.9, "FaceMatches": matches, "FaceModelVersion": "7.0"}

    def delete_faces(self, body: dict[str, Any]) -> dict[str, Any]:
        faces = self.collection(body)
        return {"DeletedFaces": [face for face in body["FaceIds"] if faces.pop(face, None)]}

    def list_faces(self, body: dict[str, Any]) -> dict[str, Any]:
        faces = list(self.collection(body).items())
        start, size = int(body.get("NextToken") or 0), min(body.get("MaxResults", 1000), 2)
        page = [{"FaceId": face, "ExternalImageId": person} for face, (person, _) in faces[start : start + size]]
        more = {"NextToken": str(start + size)} if start + size < len(faces) else {}
        return {"Faces": page, "FaceModelVersion": "7.0", **more}


OPERATIONS = {
    "CreateCollection": RekognitionServer.create_collection,
    "IndexFaces": RekognitionServer.index_faces,
    "SearchFacesByImage": RekognitionServer.search_faces_by_image,
    "DeleteFaces": RekognitionServer.delete_faces,
    "ListFaces": RekognitionServer.list_faces,
}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RekognitionServer

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        with self.server.lock:
            self.server.calls.append(operation)
            step = self.server.script.pop(0) if self.server.script else "ok"
        if step.startswith(("<", "{", "[", "null")):
            self._send_bytes(200, step.encode())
            return
        if step == "reset":
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if step in {"hang", "slow"}:
            time.sleep(self.server.hang_s if step == "hang" else 0.3)
        self._answer(operation, body, "ok" if step in {"hang", "slow", "lost"} else step, is_lost=step == "lost")

    def _answer(self, operation: str, body: dict[str, Any], step: str, *, is_lost: bool) -> None:
        try:
            self._check_clock()
            self._fail_as_told(step)
            answer = OPERATIONS[operation](self.server, body)
            if self.server.after:
                self.server.after(operation)
            if is_lost:
                self.close_connection = True
            else:
                self._send(200, answer)
        except RefusalError as refusal:
            self._send(refusal.status, {"__type": refusal.code, "Message": str(refusal)})

    def _check_clock(self) -> None:
        signed = dt.datetime.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%S%z").timestamp()
        if abs(time.time() + self.server.clock_ahead_s - signed) > SKEW_S:
            raise RefusalError("InvalidSignatureException", "Signature expired: check the clock of this machine.")

    @staticmethod
    def _fail_as_told(step: str) -> None:
        if step == "no_face":
            raise RefusalError("InvalidParameterException", "There are no faces in the image. Should be at least 1.")
        if step.isdecimal():
            raise RefusalError("InternalServerError", "boom", int(step))
        if step != "ok":
            raise RefusalError(step, f"told to fail with {step}", STATUS.get(step, 400))

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        self._send_bytes(status, json.dumps(answer).encode())

    def _send_bytes(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    with RekognitionServer(port=int(sys.argv[1])):
        threading.Event().wait()
