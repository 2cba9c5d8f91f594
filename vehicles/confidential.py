"""Pictures of plates on their way to the database: sealed, for they may wait in a file while it is away."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace

from factoryai.sealing import seal
from streaming.frames import Analyser, Analysis, Frame, Observation, Track


class ConfidentialPlates:
    """An analyser whose observations carry the picture of a plate as cipher text, under ``sealed_picture``."""

    def __init__(self, inner: Analyser) -> None:
        self.inner = inner

    def analyse(self, frame: Frame, tracks: Sequence[Track]) -> Analysis:
        analysis = self.inner.analyse(frame, tracks)
        return replace(analysis, observations=[seal_picture(item) for item in analysis.observations])


def seal_picture(observation: Observation) -> Observation:
    """Return the observation with its JPEG sealed; ``picture`` is left out."""
    data = dict(observation.data)
    picture = data.pop("picture", None)
    data["sealed_picture"] = seal(base64.b64decode(picture)).decode() if picture else None
    return replace(observation, data=data)
