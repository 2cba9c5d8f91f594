"""Draws the pictures of `cameras.md` and writes its tables from the formula: `python docs/diagrams.py`.

Pure Python: the drawing is SVG, the tables stand between two comments in the page, and a test says when either is old.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

DOCS = Path(__file__).resolve().parent
DRAWING = DOCS / "images" / "camera-height.svg"
PAGE = DOCS / "cameras.md"

SENSOR_MM = 5.6
"""Width of a 1/2.8" sensor, the commonest in network cameras: 1,920 pixels of 2.9 µm."""
PICTURE_PX = 1920
LENSES_MM = (2.8, 4.0, 6.0, 8.0, 12.0, 16.0, 25.0)
THINGS = (
    ("one-line plate, 0.50 m, 90 px", 0.50, 90),
    ("two-line plate, 0.34 m, 90 px", 0.34, 90),
    ("motorcycle plate, 0.20 m, 90 px", 0.20, 90),
    ("face, 0.16 m, 40 px", 0.16, 40),
)


def pixels(width_m: float, distance_m: float, lens_mm: float, picture_px: int = PICTURE_PX) -> float:
    """Return how many pixels wide a thing is, near the middle of the picture."""
    return width_m / distance_m * lens_mm / SENSOR_MM * picture_px


def farthest_m(width_m: float, wanted_px: float, lens_mm: float, picture_px: int = PICTURE_PX) -> float:
    """Return the distance at which a thing is just ``wanted_px`` wide."""
    return width_m * lens_mm / SENSOR_MM * picture_px / wanted_px


def scene_width_m(distance_m: float, lens_mm: float) -> float:
    """Return how wide the picture is at a distance."""
    return distance_m * SENSOR_MM / lens_mm


def tilt_degrees(height_m: float, target_m: float, distance_m: float) -> float:
    """Return how steeply a camera looks down at something ``target_m`` above the ground, ``distance_m`` away."""
    return math.degrees(math.atan2(height_m - target_m, distance_m))


def blur_px(speed_kmh: float, shutter: float, px_per_m: float) -> float:
    """Return by how many pixels a thing moves while the shutter is open, 1/``shutter`` s, moving across the picture."""
    return speed_kmh / 3.6 / shutter * px_per_m


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def distances() -> str:
    head = ["farthest distance with a lens of", *(f"{lens:g} mm" for lens in LENSES_MM)]
    rows = [[name, *(f"{farthest_m(width, px, lens):.1f} m" for lens in LENSES_MM)] for name, width, px in THINGS]
    rows.append(["width of the picture at 5 m", *(f"{scene_width_m(5, lens):.1f} m" for lens in LENSES_MM)])
    return table(head, rows)


def tilts() -> str:
    far = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
    places = [("face at 1.6 m", 2.2, 1.6), ("face at 1.6 m", 2.6, 1.6), ("plate at 0.6 m", 1.5, 0.6),
              ("plate at 0.6 m", 3.0, 0.6), ("plate at 0.6 m", 4.5, 0.6)]  # fmt: skip
    head = ["looks at", "camera at", *(f"{distance:g} m away" for distance in far)]
    rows = [
        [what, f"{height:g} m", *(f"{tilt_degrees(height, target, distance):.0f}°" for distance in far)]
        for what, height, target in places
    ]
    return table(head, rows)


def blurs() -> str:
    px_per_m, shutters = 90 / 0.50, (50, 100, 250, 500, 1000)
    head = ["speed across the picture", *(f"1/{shutter} s" for shutter in shutters)]
    rows = [
        [f"{speed} km/h", *(f"{blur_px(speed, shutter, px_per_m):.1f} px" for shutter in shutters)]
        for speed in (5, 15, 30)
    ]
    return table(head, rows)


TABLES = {"distances": distances, "tilts": tilts, "blurs": blurs}


def with_tables(text: str) -> str:
    """Return the page with its tables as the formulas give them now."""
    for name, make in TABLES.items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = mark.sub(lambda found, make=make: f"{found[1]}{make()}\n{found[2]}", text)
    return text


def drawing() -> str:
    """Return the side view of a face camera and of a plate camera, one metre being 60 units."""
    parts = [
        *_side_view(40, "Face: 2.2 m high, 3 m away", height=2.2, target=1.6, distance=3.0, what="face ≥ 40 px"),
        *_side_view(370, "Plate: 1.5 m high, 5 m away", height=1.5, target=0.6, distance=5.0, what="plate ≥ 90 px"),
    ]
    style = (
        "text{font:13px system-ui,sans-serif;fill:#1b2733}.line{stroke:#1b2733;stroke-width:1.5;fill:none}"
        ".sight{stroke:#0b63ce;stroke-width:1.5;fill:none;stroke-dasharray:5 4}"
        ".solid{fill:#1b2733}.head{font-weight:600}"
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 280" role="img" '
        'aria-label="A face camera at 2.2 m looks down by 11 degrees at a face 3 m away; a plate camera at 1.5 m looks '
        'down by 10 degrees at a plate 5 m away">\n'
        f'<style>{style}</style>\n<rect width="800" height="280" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _side_view(left: float, title: str, *, height: float, target: float, distance: float, what: str) -> list[str]:
    ground, metre = 230.0, 60.0
    right, top, aim = left + distance * metre, ground - height * metre, ground - target * metre
    tilt = tilt_degrees(height, target, distance)
    return [
        f'<text class="head" x="{left:g}" y="30">{title}</text>',
        f'<path class="line" d="M{left:g} {ground:g}H{right + 40:g}M{left:g} {ground:g}V{top:g}"/>',
        f'<rect class="solid" x="{left - 4:g}" y="{top - 7:g}" width="26" height="14" rx="3"/>',
        f'<path class="sight" d="M{left + 22:g} {top:g}L{right:g} {aim:g}"/>',
        f'<circle class="solid" cx="{right:g}" cy="{aim:g}" r="6"/>',
        f'<path class="line" d="M{right:g} {aim + 6:g}V{ground:g}"/>',
        f'<text x="{right + 12:g}" y="{aim + 4:g}">{what}</text>',
        f'<text x="{left + 34:g}" y="{top - 8:g}">{tilt:.0f}° down (at most 30°)</text>',
        f'<text x="{left + distance * metre / 2 - 20:g}" y="{ground + 22:g}">{distance:g} m</text>',
        f'<text x="{left + 6:g}" y="{(ground + top) / 2 + 20:g}">{height:g} m</text>',
    ]


def main() -> None:
    DRAWING.write_text(drawing(), encoding="utf-8")
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
