"""The shape of a face as a relief: how far each point stands out, from a few lengths.

Lengths are in units of about ten centimetres on a real head: ``u`` to the right and ``v`` down from the middle of the
face, ``relief`` towards the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Face:
    """How a face looks. Colours are BGR; lengths are in the units of this module; shares are 0–1.

    ``seed`` decides the grain of skin and hair. The ranges that still look like a face are in `RANGES`.
    """

    skin: Colour
    hair: Colour
    iris: Colour
    seed: int
    width: float
    crown: float
    chin_length: float
    jaw: float
    eyes_apart: float
    eyes_at: float
    eye_size: float
    eye_opening: float
    eye_slant: float
    brow_thickness: float
    brow_height: float
    brow_arch: float
    brow_slant: float
    brow_length: float
    nose_length: float
    nose_width: float
    nose_bridge: float
    nose_height: float
    mouth_at: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    chin: float
    cheeks: float
    sockets: float
    hairline: float
    temples: float
    beard: float = 0.0
    moustache: float = 0.0
    has_glasses: bool = False
    has_long_hair: bool = False

    @property
    def nose_tip(self) -> float:
        return self.eyes_at + self.nose_length


RANGES = {
    "width": (0.70, 0.93),
    "crown": (1.02, 1.2),
    "chin_length": (1.02, 1.4),
    "jaw": (1.5, 3.8),
    "eyes_apart": (0.27, 0.44),
    "eyes_at": (-0.2, 0.02),
    "eye_size": (0.09, 0.17),
    "eye_opening": (0.32, 0.8),
    "eye_slant": (-0.25, 0.3),
    "brow_thickness": (0.018, 0.085),
    "brow_height": (0.14, 0.3),
    "brow_arch": (-0.06, 0.13),
    "brow_slant": (-0.2, 0.22),
    "brow_length": (0.15, 0.27),
    "nose_length": (0.27, 0.52),
    "nose_width": (0.09, 0.24),
    "nose_bridge": (0.06, 0.14),
    "nose_height": (0.18, 0.42),
    "mouth_at": (0.58, 0.78),
    "mouth_width": (0.19, 0.4),
    "upper_lip": (0.03, 0.075),
    "lower_lip": (0.04, 0.1),
    "chin": (0.0, 0.14),
    "cheeks": (0.0, 0.12),
    "sockets": (0.05, 0.14),
    "hairline": (-0.95, -0.68),
    "temples": (0.05, 0.5),
}
"""Field of `Face` → its smallest and largest value."""


def bump(u: np.ndarray, v: np.ndarray, at: tuple[float, float], reach: tuple[float, float]) -> np.ndarray:
    """A soft hill of height 1 at a point; ``reach`` is how far it falls to 0.37, across and down."""
    return np.exp(-(((u - at[0]) / reach[0]) ** 2) - ((v - at[1]) / reach[1]) ** 2)


def smooth(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """Rise from 0 at ``low`` to 1 at ``high`` without a kink."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def half_width(face: Face, v: np.ndarray) -> np.ndarray:
    """Half the width of the head at a height."""
    above = np.clip(1 - (np.maximum(-v, 0) / face.crown) ** 2.7, 0, 1) ** (1 / 2.3)
    below = np.clip(1 - (np.maximum(v, 0) / face.chin_length) ** face.jaw, 0, 1) ** (1 / face.jaw)
    return face.width * above * below


def relief(face: Face, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return how far each point of a face stands out."""
    within = np.clip(1 - (u / np.maximum(half_width(face, v), 1e-3)) ** 2, 0, 1)
    skull = 0.95 * np.sqrt(within) * (0.55 + 0.45 * np.sqrt(np.clip(1 - (v / 1.5) ** 2, 0, 1)))
    return skull + within**0.25 * _eyes(face, u, v) + _nose(face, u, v) + _mouth(face, u, v)


def _eyes(face: Face, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    beside, eye = np.abs(u), (face.eyes_apart, face.eyes_at)
    brow = 0.07 * bump(beside, v, (0.3, face.eyes_at - 0.2), (0.28, 0.1))
    return brow - face.sockets * bump(beside, v, eye, (0.2, 0.13)) + 0.055 * bump(beside, v, eye, (0.12, 0.085))


def _nose(face: Face, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    tip = face.nose_tip
    down = np.clip((v - (face.eyes_at - 0.1)) / (face.nose_length + 0.1), 0, 1)
    ridge = down**1.25 * np.exp(-((u / (face.nose_bridge + 0.05 * down)) ** 2)) * (1 - smooth(v, tip, tip + 0.12))
    wings = 0.1 * bump(np.abs(u), v, (face.nose_width, tip - 0.01), (0.07, 0.07))
    return face.nose_height * ridge + wings + 0.05 * bump(u, v, (0, tip - 0.02), (0.1, 0.08))


def _mouth(face: Face, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    at, width = face.mouth_at, face.mouth_width
    lips = 0.05 * bump(u, v, (0, at - face.upper_lip), (width * 0.75, face.upper_lip * 0.9))
    lips += 0.06 * bump(u, v, (0, at + face.lower_lip), (width * 0.6, face.lower_lip * 0.9))
    around = 0.07 * bump(u, v, (0, at), (width * 1.1, 0.16)) - 0.05 * bump(u, v, (0, at), (width, 0.018))
    chin = face.chin * bump(u, v, (0, at + 0.36), (0.22, 0.15)) - 0.03 * bump(u, v, (0, at + 0.2), (0.25, 0.06))
    return lips + around + chin + face.cheeks * bump(np.abs(u), v, (0.5, 0.18), (0.22, 0.18))
