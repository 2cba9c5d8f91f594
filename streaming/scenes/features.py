"""What is painted on the relief of a face: skin, eyes, brows, mouth, hair, beard, glasses."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from streaming.scenes.relief import Colour, Face, bump, half_width, smooth

LASH, WHITE_OF_EYE, BLACK, FRAME = (22, 20, 22), (205, 212, 216), (10, 10, 10), (30, 28, 34)


@dataclass(slots=True)
class Canvas:
    """The place of every pixel on the face (``u``, ``v``) and its colour so far, BGR float of shape (h, w, 3)."""

    face: Face
    u: np.ndarray
    v: np.ndarray
    colour: np.ndarray

    def paint(self, share: np.ndarray, colour: Colour | np.ndarray) -> None:
        """Lay a colour over, where ``share`` (0–1) says and as much as it says."""
        weight = np.clip(share, 0, 1)[..., None].astype(np.float32)
        self.colour += weight * (np.asarray(colour, np.float32) - self.colour)

    def grain(self, number: int, fineness: float, stretch: int = 1) -> np.ndarray:
        """Return fixed noise of mean 0 and deviation 1; ``fineness`` spots fit across; stretched downwards."""
        height, width = self.u.shape
        random = np.random.default_rng((self.face.seed, number))
        spots = random.normal(size=(max(2, int(fineness * height / width / stretch)), max(2, int(fineness))))
        return cv2.resize(spots.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)


def paint_skin(canvas: Canvas) -> None:
    face, u, v = canvas.face, canvas.u, canvas.v
    canvas.colour[:] = face.skin
    red = 0.5 * bump(np.abs(u), v, (0.45, 0.25), (0.2, 0.18)) + 0.5 * bump(u, v, (0, face.nose_tip), (0.13, 0.1))
    canvas.colour *= 1 - red[..., None] * np.float32([0.16, 0.13, 0.0])
    canvas.colour *= (1 + 0.025 * canvas.grain(0, 60) + 0.03 * canvas.grain(1, 14))[..., None]


def paint_mouth(canvas: Canvas, smile: float) -> np.ndarray:
    """Paint the lips, drawn up by ``smile`` (0–1), and return where they are (0–1)."""
    face, u, v = canvas.face, canvas.u, canvas.v
    skin, width = np.float32(face.skin), face.mouth_width * (1 + 0.25 * smile)
    line = face.mouth_at + 0.02 - 0.1 * smile * (np.abs(u) / width) ** 2
    open_ = np.clip(1 - (np.abs(u) / width) ** 2, 0, 1)
    upper, lower = line - 1.3 * face.upper_lip * open_**0.7, line + 1.3 * face.lower_lip * open_**0.8
    lips = smooth(v - upper, -0.015, 0.015) * smooth(lower - v, -0.02, 0.02) * (np.abs(u) < width)
    canvas.paint(0.85 * lips, skin * np.float32([0.6, 0.56, 0.8]))
    canvas.paint(0.8 * np.exp(-(((v - line) / 0.014) ** 2)) * smooth(width - np.abs(u), -0.02, 0.06), skin * 0.28)
    return lips


def paint_eye(canvas: Canvas, side: int) -> None:
    """Paint the eye on one side (-1 or 1), its brow, and the nostril below."""
    face, skin = canvas.face, np.float32(canvas.face.skin)
    out = (canvas.u - side * face.eyes_apart) * side
    down = canvas.v - face.eyes_at + face.eye_slant * out
    width, height = face.eye_size * 1.25, face.eye_size * face.eye_opening
    along = np.clip(1 - (out / width) ** 2, 0, 1)
    upper, lower = -height * along**0.7, 0.62 * height * along**0.8
    opening = smooth(down - upper, -0.008, 0.008) * smooth(lower - down, -0.008, 0.008) * (np.abs(out) < width)
    from_pupil, iris = np.hypot(out, down + 0.01), face.eye_size * 0.6
    canvas.paint(opening, WHITE_OF_EYE)
    canvas.paint(opening * (1 - smooth(from_pupil, iris - 0.012, iris + 0.012)), face.iris)
    canvas.paint(opening * 0.6 * np.exp(-(((from_pupil - iris) / 0.012) ** 2)), BLACK)
    canvas.paint(opening * (1 - smooth(from_pupil, 0.42 * iris - 0.01, 0.42 * iris + 0.01)), BLACK)
    canvas.paint(opening * 0.55 * np.exp(-(((down - upper) / 0.03) ** 2)), LASH)
    is_lid = along > 0.02
    canvas.paint(is_lid * np.exp(-(((down - upper) / 0.016) ** 2)), LASH)
    canvas.paint(is_lid * 0.45 * np.exp(-(((down - lower) / 0.012) ** 2)), skin * 0.45)
    canvas.paint(is_lid * 0.5 * np.exp(-(((down - 1.6 * upper) / 0.014) ** 2)), skin * 0.45)
    canvas.paint(opening * bump(out * side, down, (-0.03, -0.03), (0.02, 0.03)), (255, 255, 255))
    _paint_brow(canvas, out)
    nostril = bump(canvas.u, canvas.v, (side * face.nose_width * 0.62, face.nose_tip + 0.035), (0.045, 0.022))
    canvas.paint(0.75 * nostril, skin * 0.25)


def _paint_brow(canvas: Canvas, out: np.ndarray) -> None:
    face, along = canvas.face, out / canvas.face.brow_length
    line = face.eyes_at - face.brow_height - face.brow_arch * (1 - along**2) - face.brow_slant * out
    thickness = face.brow_thickness * np.clip(1 - 0.55 * np.maximum(along, 0), 0.2, 1)
    hairs = 0.92 + 0.32 * canvas.grain(2, 110)
    share = np.exp(-(((canvas.v - line) / thickness) ** 2)) * smooth(1.05 - np.abs(along), 0, 0.25)
    canvas.paint(share * hairs, np.float32(face.hair) * 0.8)


def paint_beard(canvas: Canvas, lips: np.ndarray) -> None:
    face, u, v, hair = canvas.face, canvas.u, canvas.v, np.float32(canvas.face.hair)
    stubble = 0.78 + 0.3 * canvas.grain(3, 150)
    under_nose = v - (face.mouth_at - face.upper_lip - 0.09) - 0.3 * u * u
    canvas.paint(face.moustache * stubble * bump(u, under_nose, (0, 0), (face.mouth_width * 0.95, 0.055)), hair)
    cheeks = smooth(v + 0.35 * u**2, 0.45, 0.75) * smooth(np.abs(v - face.mouth_at) + 0.6 * np.abs(u), 0.12, 0.3)
    canvas.paint(face.beard * stubble * cheeks * (1 - lips), hair)


def hair_colours(canvas: Canvas) -> np.ndarray:
    """Return the hair's colour everywhere, in strands."""
    strands = 1 + 0.16 * canvas.grain(4, 90, stretch=8) + 0.06 * canvas.grain(5, 110)
    return np.float32(canvas.face.hair) * strands[..., None]


def paint_hairline(canvas: Canvas) -> np.ndarray:
    """Paint the hair that grows on the relief, and return where it is (0–1)."""
    face, u, v = canvas.face, canvas.u, canvas.v
    line = face.hairline + face.temples * np.abs(u) ** 2 + 0.03 * canvas.grain(6, 25)
    edge = half_width(face, v)
    beside = smooth(np.abs(u) - edge, -0.14, -0.05) * (1 - smooth(v, -0.15, 0.0))
    hair = np.clip(1 - smooth(v, -0.05 + line, line + 0.05) + beside, 0, 1)
    canvas.paint(hair, hair_colours(canvas))
    return hair


def paint_glasses(canvas: Canvas) -> None:
    face, u, v = canvas.face, canvas.u, canvas.v
    for side in (-1, 1):
        lens = (np.abs(u - side * face.eyes_apart) / 0.21) ** 3 + (np.abs(v - face.eyes_at - 0.02) / 0.16) ** 3
        canvas.paint(0.95 * np.exp(-(((lens - 1) / 0.28) ** 2)), FRAME)
        canvas.paint(0.1 * (lens < 1), (235, 235, 230))
    beside = np.abs(u)
    canvas.paint(np.exp(-(((v - face.eyes_at + 0.03) / 0.025) ** 2)) * (beside < face.eyes_apart - 0.2), FRAME)
    is_arm = (beside > face.eyes_apart + 0.2) & (beside < face.width * 1.02)
    canvas.paint(np.exp(-(((v - face.eyes_at) / 0.025) ** 2)) * is_arm, FRAME)
