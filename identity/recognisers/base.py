"""What every face engine offers: find faces in a picture, and say which enrolled people a face resembles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from identity.rules import Candidate, Decision, FaceQuality, Thresholds
from streaming.frames import Box


class RecogniserError(Exception):
    """An engine did not answer; ``code`` says why, the text is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class PermanentError(RecogniserError):
    """A refusal that trying again does not change. ``opens_circuit``: no other call can succeed either (bad keys)."""

    def __init__(self, code: str, message: str, *, opens_circuit: bool = False) -> None:
        super().__init__(code, message)
        self.opens_circuit = opens_circuit


class TransientError(RecogniserError):
    """The engine could not answer now; the same request may succeed later."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face in a picture. ``landmarks`` are five (x, y) points in pixels: right eye, left eye, nose, right and
    left corner of the mouth, as the person would name them. ``confidence`` (0–1) is that it is a face at all."""

    box: Box
    landmarks: np.ndarray
    confidence: float
    quality: FaceQuality


class Recogniser(Protocol):
    """One engine. ``thresholds`` belong to it and to its model version."""

    @property
    def thresholds(self) -> Thresholds: ...

    def find_faces(self, image: np.ndarray) -> Sequence[Face]:
        """Return the faces of a BGR picture, the largest first."""
        ...

    def search(self, image: np.ndarray, face: Face) -> Sequence[Candidate]:
        """Return the enrolled people that ``face`` of ``image`` resembles, best first.

        Raises `TransientError` or `PermanentError`.
        """
        ...

    def identify(self, image: np.ndarray, face: Face) -> Decision:
        """Return who ``face`` is; the decision names the thresholds it was made by.

        Raises `TransientError` or `PermanentError`.
        """
        ...

    def embed(self, image: np.ndarray, face: Face) -> np.ndarray:
        """Return the local unit vector of a face, float32 of shape (128,): what unknown faces are grouped by."""
        ...
