"""What every detection engine offers, and how the one named in the settings is loaded."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from streaming.frames import Detection

ENGINES = {"nanodet": "streaming.detectors.nanodet.NanoDet"}
"""Short name → dotted path of a class that is called with `DetectorSettings`."""


class DetectorError(Exception):
    """An engine cannot be used as the settings ask; ``code`` says why, the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Detector(Protocol):
    """Finds people and vehicles in one picture. One detector may be shared by any number of threads."""

    def detect(self, image: np.ndarray) -> list[Detection]:
        """Return what is seen in a BGR uint8 picture of shape (height, width, 3), the surest first.

        Boxes are clipped to the picture. Weak sightings are among them, for the tracker's second look: what is
        shown or counted is decided there. Raises ValueError for anything that is no such picture.
        """
        ...


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """Which engine detects, and how.

    ``engine`` is a name in `ENGINES` or the dotted path of a class of one's own. ``providers`` are ONNX Runtime's
    execution providers, the preferred first (``CUDAExecutionProvider``, ``OpenVINOExecutionProvider``).
    ``long_side`` is the size in pixels that pictures are brought to. ``floor`` is the lowest confidence reported.
    """

    engine: str = "nanodet"
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    long_side: int = 512
    floor: float = 0.2


def load_detector(settings: DetectorSettings | None = None) -> Detector:
    """Build the engine that the settings name; raises `DetectorError` when it cannot be found or used."""
    settings = settings or DetectorSettings()
    module_name, _, name = ENGINES.get(settings.engine, settings.engine).rpartition(".")
    if not module_name:
        raise DetectorError("unknown_engine", f"{settings.engine!r} is no engine: use {', '.join(ENGINES)}.")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise DetectorError("unknown_engine", f"{module_name} cannot be imported: {error}.") from error
    engine = getattr(module, name, None)
    if engine is None:
        raise DetectorError("unknown_engine", f"{module_name} has no {name}.")
    return engine(settings)
