"""NanoDet-g on ONNX Runtime: people and vehicles from a file of 7.6 MB, about 25 ms a picture on one core.

How the weights were made is in `streaming.detectors.convert_nanodet`; whose they are is in NOTICE.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from streaming.appearance import describe
from streaming.detectors.base import DetectorError, DetectorSettings
from streaming.frames import Detection, group_of

WEIGHTS = Path(__file__).parent / "weights" / "nanodet_g_dyn_fp16.onnx"
SHA256 = "7ce07c42b509299198d488381332a3de1df086e0c28da9936b6e6aab3c59d082"

CLASSES = {0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 7: "truck"}
"""Number of the class among the 80 of COCO → its name."""

STRIDES = (8, 16, 32)
"""Pixels between the cells of the three output grids; the coarsest is what input sides must be multiples of."""

BINS = 11
"""Each side of a box is a distribution over 0–10 strides (``reg_max`` 10 in nanodet-g.yml)."""

MEAN = (103.53, 116.28, 123.675)
STD = (57.375, 57.12, 58.395)
"""Blue, green, red as the network was trained (nanodet-g.yml). A plain /255 loses most vehicles."""

OVERLAP = 0.6
"""Boxes of one group that overlap more (IoU) are one object: a van is not also a truck."""

DESCRIBED_AT = 0.35
"""Only from this confidence on does a detection say how it looks: weaker ones are followed by place alone."""

_COLUMNS = np.array(list(CLASSES))
_LABELS = tuple(CLASSES.values())
_GROUPS = np.array([sorted({group_of(label) for label in _LABELS}).index(group_of(label)) for label in _LABELS])
_DISTANCES = np.arange(BINS, dtype=np.float32)


class NanoDet:
    """Implements `streaming.detectors.base.Detector`. Holds no state between pictures."""

    def __init__(self, settings: DetectorSettings, weights: Path = WEIGHTS, sha256: str = SHA256) -> None:
        self._long_side, self._floor = settings.long_side, settings.floor
        self._session = open_session(read_weights(weights, sha256), settings.providers)
        self._outputs = [f"{kind}{stride}" for stride in STRIDES for kind in ("cls", "reg")]

    def detect(self, image: np.ndarray) -> list[Detection]:
        check_picture(image)
        tensor, scale = prepare(image, self._long_side)
        grids = self._session.run(self._outputs, {"image": tensor})
        boxes, scores, classes = decode(grids, tensor.shape[3], self._floor)
        boxes /= scale
        kept = suppress(boxes, scores, classes, self._floor)
        return list(_described(image, boxes[kept], scores[kept], classes[kept]))


def read_weights(path: Path, sha256: str) -> bytes:
    """Return the bytes of a weights file; raises `DetectorError` when it is absent or not the expected one."""
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise DetectorError("no_weights", f"{path} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(weights).hexdigest() != sha256:
        raise DetectorError("wrong_weights", f"{path.name} is not the file this version was measured with.")
    return weights


def open_session(weights: bytes, providers: Sequence[str]) -> onnxruntime.InferenceSession:
    """Open a session of one thread that does not spin: on busy cores, two spinning threads took twice as long."""
    missing = set(providers) - set(onnxruntime.get_available_providers())
    if missing:
        usable = ", ".join(onnxruntime.get_available_providers())
        raise DetectorError("no_provider", f"{', '.join(sorted(missing))} is not installed; usable here: {usable}.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(weights, options, providers=list(providers))


def check_picture(image: np.ndarray) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"a BGR uint8 picture is needed, not {image.dtype} of shape {image.shape}")


def prepare(image: np.ndarray, long_side: int) -> tuple[np.ndarray, float]:
    """Return the network's input, float32 of shape (1, 3, h, w), and how much smaller than the picture it is.

    The picture keeps its shape and lies in the upper left corner; the rest is the mean colour.
    """
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    small_size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, small_size, interpolation=cv2.INTER_LINEAR)
    tensor = np.zeros((1, 3, _padded(small_size[1]), _padded(small_size[0])), np.float32)
    for channel, plane in enumerate(cv2.split(small)):
        target = tensor[0, channel, : small_size[1], : small_size[0]]
        np.multiply(plane, np.float32(1 / STD[channel]), out=target)
        target -= np.float32(MEAN[channel] / STD[channel])
    return tensor, scale


def _padded(side: int) -> int:
    return -(-side // STRIDES[-1]) * STRIDES[-1]


def decode(grids: Sequence[np.ndarray], width: int, floor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn the grids of scores and sides into boxes (n, 4), scores (n,) and indices into our classes (n,).

    ``grids`` holds, stride by stride, scores (1, cells, 80) and sides (1, cells, 44). Only cells that reach
    ``floor`` are worked out, a handful of four thousand.
    """
    boxes, scores, classes = [], [], []
    for stride, cell_scores, cell_sides in zip(STRIDES, grids[::2], grids[1::2], strict=True):
        ours = cell_scores[0][:, _COLUMNS]
        cells = np.flatnonzero((ours >= floor).any(axis=1))
        ours = ours[cells]
        sides = _expected(cell_sides[0][cells].reshape(-1, 4, BINS)) * stride
        x = (cells % (width // stride)) * stride + (stride - 1) / 2
        y = (cells // (width // stride)) * stride + (stride - 1) / 2
        boxes.append(np.stack([x - sides[:, 0], y - sides[:, 1], x + sides[:, 2], y + sides[:, 3]], axis=1))
        scores.append(ours.max(axis=1))
        classes.append(ours.argmax(axis=1))
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(classes)


def _expected(logits: np.ndarray) -> np.ndarray:
    """Return the mean of each distribution over the bins, in strides."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (weights @ _DISTANCES) / weights.sum(axis=-1)


def suppress(boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, floor: float) -> np.ndarray:
    """Return the indices of the boxes that no surer box of the same group covers, the surest first."""
    if not len(boxes):
        return np.empty(0, int)
    sized = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxesBatched(sized.tolist(), scores.tolist(), _GROUPS[classes].tolist(), floor, OVERLAP)
    kept = np.asarray(kept, int).ravel()
    return kept[np.argsort(-scores[kept], kind="stable")]


def _described(image: np.ndarray, boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray) -> Iterator[Detection]:
    height, width = image.shape[:2]
    clipped = np.clip(boxes, 0, [width, height, width, height])
    for box, score, index in zip(clipped.tolist(), scores.tolist(), classes.tolist(), strict=True):
        if box[2] > box[0] and box[3] > box[1]:
            look = describe(image, box) if score >= DESCRIBED_AT else None
            yield Detection(_LABELS[index], score, tuple(box), look)
