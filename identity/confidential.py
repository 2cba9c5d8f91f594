"""Faces on their way from a camera to the database: sealed, for they may wait in a file while it is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from factoryai.sealing import seal, unseal
from identity.pictures import encode_picture
from streaming.frames import Analyser, Analysis, Frame, Observation, Track


class ConfidentialAnalyser:
    """An analyser whose observations carry the picture and the vector of a face as cipher text."""

    def __init__(self, inner: Analyser) -> None:
        self.inner = inner

    def analyse(self, frame: Frame, tracks: Sequence[Track]) -> Analysis:
        analysis = self.inner.analyse(frame, tracks)
        return replace(analysis, observations=[close_observation(item) for item in analysis.observations])


def close_observation(observation: Observation) -> Observation:
    """Return the observation with its face as a sealed JPEG and its vector sealed."""
    data = dict(observation.data)
    vector = data["vector"]
    data["face"] = seal(encode_picture(data["face"]))
    data["vector"] = None if vector is None else seal(np.asarray(vector, np.float32).tobytes())
    return replace(observation, data=data)


def open_face(data: Mapping[str, Any]) -> tuple[bytes, np.ndarray | None]:
    """Return the JPEG and the vector of what `close_observation` made; raises `factoryai.sealing.SealBrokenError`."""
    vector = data["vector"]
    return unseal(data["face"]), None if vector is None else np.frombuffer(unseal(vector), np.float32)
