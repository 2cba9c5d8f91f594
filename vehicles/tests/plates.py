"""Number plates drawn and spoiled: every colour, one line and two, blurred, noisy, dark, seen from the side.

Nothing here is a photograph. Letters come from the demonstration's stroke font or from OpenCV's Hershey fonts; the same
dice always give the same pictures.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from streaming.scenes.glyphs import draw_text, text_width
from vehicles.rules.marks import ONE_DIGIT_OFFICES, STATES

SERIES = "ABCDEFGHJKLMNPQRSTUVWXYZ"
LETTER_HEIGHT = 120
Lettering = Callable[[str, tuple, tuple], np.ndarray]


class Colours(Enum):
    """Ground and letters of a plate, BGR, by what its vehicle is for (Central Motor Vehicles Rules 50 and 51)."""

    PRIVATE = ((240, 242, 242), (24, 22, 22))
    COMMERCIAL = ((40, 195, 245), (24, 22, 22))
    ELECTRIC = ((70, 135, 25), (242, 244, 244))
    RENTED = ((26, 24, 24), (40, 200, 240))
    EMBASSY = ((190, 110, 40), (242, 244, 244))


@dataclass(frozen=True, slots=True)
class Spoiling:
    """What a plate goes through on its way to the picture.

    ``width`` in pixels it ends up with; ``blur`` pixels it moves while the shutter is open; ``noise`` is the standard
    deviation in grey levels; ``lean`` how far the corners move, in heights of the plate; ``light`` the brightness left.
    """

    width: int = 160
    blur: int = 0
    noise: float = 3.0
    lean: float = 0.05
    light: float = 0.9


CLEAR = Spoiling(200, noise=2.0, lean=0.03)
USUAL = Spoiling(150, blur=3, noise=5.0, lean=0.08)
POOR = Spoiling(110, blur=3, noise=8.0, lean=0.1, light=0.6)


def strokes(text: str, ground: tuple, ink: tuple) -> np.ndarray:
    """Letter a line in the demonstration's own font."""
    image = np.full((LETTER_HEIGHT + 16, round(text_width(text, LETTER_HEIGHT)) + 24, 3), ground, np.uint8)
    draw_text(image, text, (12, 8), LETTER_HEIGHT, ink)
    return image


def hershey(face: int, pen: int) -> Lettering:
    """Return the lettering of one of OpenCV's fonts, ``pen`` pixels thick at 120 pixels high."""

    def letter(text: str, ground: tuple, ink: tuple) -> np.ndarray:
        scale = cv2.getFontScaleFromHeight(face, LETTER_HEIGHT, pen)
        (width, height), base = cv2.getTextSize(text, face, scale, pen)
        image = np.full((height + 2 * base, width + 24, 3), ground, np.uint8)
        cv2.putText(image, text, (12, height + base // 2 + pen // 2), face, scale, ink, pen, cv2.LINE_AA)
        return image

    return letter


LETTERINGS = (strokes, hershey(cv2.FONT_HERSHEY_SIMPLEX, 13), hershey(cv2.FONT_HERSHEY_DUPLEX, 11))


def draw_plate(lines: Sequence[str], colours: Colours, lettering: Lettering = strokes) -> np.ndarray:
    """Return a plate as new, BGR: a ground with a rim and one or two lines in the middle of it."""
    ground, ink = colours.value
    written = [lettering(line, ground, ink) for line in lines]
    width = round(max(line.shape[1] for line in written) * 1.12)
    gap = round(LETTER_HEIGHT * 0.22)
    height = sum(line.shape[0] for line in written) + gap * (len(written) + 1)
    plate = np.full((height, width, 3), ground, np.uint8)
    top = gap
    for line in written:
        left = (width - line.shape[1]) // 2
        plate[top : top + line.shape[0], left : left + line.shape[1]] = line
        top += line.shape[0] + gap
    cv2.rectangle(plate, (5, 5), (width - 6, height - 6), ink, 6, cv2.LINE_AA)
    return plate


def spoil(plate: np.ndarray, how: Spoiling, dice: random.Random, size: tuple[int, int] | None = None) -> np.ndarray:
    """Return the picture a camera makes of a plate: cut out with a margin, or somewhere in a picture of ``size``."""
    height, width = plate.shape[:2]
    tall = how.width * height / width
    wide, high = size or (round(how.width * 1.3), round(tall + how.width * 0.16))
    left, top = ((wide - how.width) / 2, (high - tall) / 2)
    if size:
        left, top = dice.uniform(20, wide - how.width - 20), dice.uniform(high * 0.4, high - tall - 20)
    corners = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
    seen = corners * (how.width / width) + (left, top)
    seen += [[dice.uniform(-how.lean, how.lean) * min(tall, how.width / 4) for _ in "xy"] for _ in range(4)]
    turn = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    noise = np.random.default_rng(dice.randrange(2**31))
    picture = np.full((high, wide, 3), dice.randint(50, 150), np.float32) + noise.normal(0, 6, (high, wide, 3))
    soft = cv2.GaussianBlur(plate, (0, 0), max(0.1, 0.4 * width / how.width))
    inside = cv2.warpPerspective(np.ones((height, width), np.float32), turn, (wide, high))[..., None]
    picture = picture * (1 - inside) + cv2.warpPerspective(soft, turn, (wide, high)) * inside
    if how.blur:
        picture = cv2.blur(picture, (how.blur, 1))
    picture = picture * how.light + noise.normal(0, how.noise, picture.shape)
    jpeg = cv2.imencode(".jpg", np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return cv2.imdecode(jpeg, cv2.IMREAD_COLOR)


def usual_groups(dice: random.Random) -> tuple[str, ...]:
    """Make a standard mark as its groups: state, office, series, number."""
    state = dice.choice(sorted(STATES))
    series = "".join(dice.choice(SERIES) for _ in range(dice.choice((1, 2, 2, 2))))
    if state == "DL":
        series = dice.choice("CPRSTV") + series
    is_short = state in ONE_DIGIT_OFFICES and dice.random() < 0.5
    office = str(dice.randint(1, 9)) if is_short else f"{dice.randint(1, 99):02}"
    return state, office, series, f"{dice.randint(1, 9999):04}"


def one_line(groups: Sequence[str]) -> list[str]:
    return [" ".join(groups)]


def two_lines(groups: Sequence[str]) -> list[str]:
    """Break a mark as motorcycles, lorries and rear plates do: the number stands below."""
    return [" ".join(groups[:-1]), groups[-1]]


def foreign_plate(dice: random.Random) -> list[str]:
    """Make a plate of another country, as its lines: the styles of Europe, the United Kingdom, America and Asia."""
    style = dice.choice(FOREIGN)
    kinds = {"L": "ABCDEFGHIJKLMNOPRSTUVWXYZ", "D": "0123456789"}
    return ["".join(dice.choice(kinds[mark]) if mark in kinds else mark for mark in line) for line in style.split("/")]


FOREIGN = (
    "L LL DDDD", "LL LL DDD", "LLL L DD", "LL-DDD-LL", "LLDD LLL", "LDDD LLL", "DDDD LLL", "LLL DDD", "LLL-DDDD",
    "LLL DDDD", "LLLDLDD", "DLLLDDD", "DDD LLL", "LL DD DDD", "LL DDDDD", "DD-LL-DD", "LL DDDL", "L DDDD LL",
    "DD L DDDDD", "LLL DD DD", "LL DDDD", "LLL/DDDD", "LL-DD/DDDD",
)  # fmt: skip
"""German, French, British (new and old), Spanish, Swedish, Brazilian (old and Mercosur), American, Danish, Dutch,
Polish, Indonesian, Turkish, and motorcycles of two lines. Not among them: six digits after two letters (Switzerland),
which some Indian states issue as well."""
