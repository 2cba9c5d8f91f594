"""What is drawn over a picture: boxes, names, zones, lines, the panel, and the age of a picture that is not live.

Pure functions on BGR uint8 pictures; nothing is ever written outside the picture they are given. Zones and lines are
given as shares (0–1) of the picture, boxes in its pixels. Sizes follow the width of the picture, 320 px and up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from streaming.frames import OTHER, PERSON, VEHICLE, Track, group_of
from streaming.lettering import drawable, fit, width_of, write

Colour = tuple[int, int, int]
Point = tuple[float, float]
Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""
Piece = tuple[str, Colour]

GREEN: Colour = (96, 208, 72)
BLUE: Colour = (248, 164, 72)
GREY: Colour = (176, 176, 176)
AMBER: Colour = (48, 184, 250)
RED: Colour = (72, 72, 232)
WHITE: Colour = (248, 248, 248)
SOFT: Colour = (204, 204, 204)
INK: Colour = (28, 24, 20)

COLOURS = {PERSON: GREEN, VEHICLE: BLUE, OTHER: GREY}

LIVE = "live"
BADGES = {"stale": ("STALE", AMBER), "offline": ("OFFLINE", RED), "disabled": ("OFF", GREY)}
"""State of a camera → word and colour in the panel. A live picture bears no word: it may be the last one, and then
stays on the screen, dimmed, under words that say so."""

WIDEST = 0.45
"""Share of a row of the panel that one piece, such as a long name, may take."""

DIMMED = 0.38
"""Brightness left of a picture that is not live."""


@dataclass(frozen=True, slots=True)
class ZoneMark:
    """A zone to draw: its name and its corners, as shares (0–1); who is in it is left out when None."""

    name: str
    points: Sequence[Point]
    people: int | None = None
    longest_s: float | None = None


@dataclass(frozen=True, slots=True)
class LineMark:
    """A counting line to draw, from its first point to its second; counts are left out when None."""

    name: str
    points: Sequence[Point]
    entries: int | None = None
    exits: int | None = None


@dataclass(frozen=True, slots=True)
class OverlayModel:
    """Everything drawn over one picture.

    ``names`` are people's names by track id. ``camera`` and ``local_time`` are written as they are; ``people`` and
    ``vehicles`` are counts. Figures that are None are not shown. ``age_s`` is shown when ``state`` is not live.
    """

    camera: str = ""
    local_time: str = ""
    tracks: Sequence[Track] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    zones: Sequence[ZoneMark] = ()
    lines: Sequence[LineMark] = ()
    people: int | None = None
    vehicles: int | None = None
    source_fps: float | None = None
    shown_fps: float | None = None
    state: str = LIVE
    age_s: float | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes in pixels for one width of picture."""

    letter: int
    line: int
    gap: int

    @classmethod
    def for_width(cls, width: int) -> Style:
        """Capitals are 7 px tall at 320, 12 at 1280 and 15 at 1920."""
        letter = max(6, round(5 + width / 190))
        return cls(letter, max(1, round(width / 900)), max(3, round(0.6 * letter)))

    @property
    def row(self) -> int:
        return self.letter + self.gap + 2

    @property
    def pad(self) -> int:
        return max(2, self.gap // 2)


def draw_overlay(image: np.ndarray, model: OverlayModel) -> None:
    """Draw everything over the picture, in place: zones and lines, then boxes, then labels, then the panel."""
    style = Style.for_width(image.shape[1])
    for zone in model.zones:
        draw_zone(image, zone, style)
    for line in model.lines:
        draw_line(image, line, style)
    tracks = [track for track in model.tracks if track.is_confirmed and _is_visible(track, image)]
    tracks.sort(key=lambda track: (track.box[3], track.id))
    for track in tracks:
        draw_box(image, track, style)
    rows = _flow(panel_pieces(model), image.shape[1] - 4 * style.gap, style)
    draw_labels(image, tracks, model.names, style, [panel_place(rows, style)])
    draw_panel(image, rows, style)


def _is_visible(track: Track, image: np.ndarray) -> bool:
    x1, y1, x2, y2 = track.box
    height, width = image.shape[:2]
    return (
        all(map(math.isfinite, track.box)) and x1 < x2 and y1 < y2 and x2 > 0 and y2 > 0 and x1 < width and y1 < height
    )


def _corners(track: Track, image: np.ndarray) -> Rectangle:
    """Return the box in whole pixels, clipped so that all four sides lie in the picture."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = track.box
    return (
        round(min(max(x1, 0), width - 1)),
        round(min(max(y1, 0), height - 1)),
        round(min(max(x2, 0), width - 1)),
        round(min(max(y2, 0), height - 1)),
    )


def draw_box(image: np.ndarray, track: Track, style: Style) -> None:
    """Draw a track: a solid frame for people, a double one for vehicles, dashes for anything else.

    An object that was not seen in this very frame keeps only the corners of its frame.
    """
    corners, group = _corners(track, image), group_of(track.label)
    for colour, thickness in ((INK, style.line + 2), (COLOURS[group], style.line)):
        if track.missed_s > 0:
            _draw_corners(image, corners, colour, thickness)
        elif group == OTHER:
            _draw_dashes(image, corners, colour, thickness)
        else:
            cv2.rectangle(image, corners[:2], corners[2:], colour, thickness)
    if group == VEHICLE and track.missed_s == 0:
        _draw_inner(image, corners, style)


def _draw_inner(image: np.ndarray, corners: Rectangle, style: Style) -> None:
    inset = 2 * style.line + 2
    x1, y1, x2, y2 = corners
    if x2 - x1 > 3 * inset and y2 - y1 > 3 * inset:
        cv2.rectangle(image, (x1 + inset, y1 + inset), (x2 - inset, y2 - inset), BLUE, style.line)


def _draw_corners(image: np.ndarray, corners: Rectangle, colour: Colour, thickness: int) -> None:
    x1, y1, x2, y2 = corners
    reach = max(2, min(x2 - x1, y2 - y1) // 4)
    for x, to_x in ((x1, x1 + reach), (x2, x2 - reach)):
        for y, to_y in ((y1, y1 + reach), (y2, y2 - reach)):
            cv2.line(image, (x, y), (to_x, y), colour, thickness)
            cv2.line(image, (x, y), (x, to_y), colour, thickness)


def _draw_dashes(image: np.ndarray, corners: Rectangle, colour: Colour, thickness: int) -> None:
    x1, y1, x2, y2 = corners
    for start, end in (((x1, y1), (x2, y1)), ((x2, y1), (x2, y2)), ((x2, y2), (x1, y2)), ((x1, y2), (x1, y1))):
        _draw_dashed(image, start, end, colour, thickness)


def _draw_dashed(
    image: np.ndarray, start: tuple[int, int], end: tuple[int, int], colour: Colour, thickness: int
) -> None:
    length = math.dist(start, end)
    dash = 4 + 2 * thickness
    for begin in range(0, max(1, int(length)), 2 * dash):
        a, b = begin / max(length, 1), min(begin + dash, length) / max(length, 1)
        points = [
            (round(start[0] + share * (end[0] - start[0])), round(start[1] + share * (end[1] - start[1])))
            for share in (a, b)
        ]
        cv2.line(image, *points, colour, thickness)


def label_of(track: Track, name: str | None) -> str:
    """Return what is written at a track: its class, after its name if it has one, the confidence, and its id.

    The confidence is the detector's, that it is one of its class, and is said of nothing else: not of the name.
    """
    who = drawable(name) if name else ""
    sure = f" {round(100 * track.confidence)}%" if track.missed_s == 0 and math.isfinite(track.confidence) else ""
    what = f"{drawable(track.label)}{sure}"
    if who:
        what = f"{who}, {what}" if sure else who
    return f"{what} #{track.id}"


def draw_labels(
    image: np.ndarray,
    tracks: Sequence[Track],
    names: Mapping[int, str],
    style: Style,
    kept_free: Sequence[Rectangle] = (),
) -> None:
    """Write the tracks' labels, each where it covers no other as far as there is room; the nearest are written last."""
    taken = list(kept_free)
    for track in tracks:
        text = fit(label_of(track, names.get(track.id)), image.shape[1] - 2 * style.pad, style.letter)
        place = _place_for(text, _corners(track, image), taken, image, style)
        taken.append(place)
        left, top, right, bottom = place
        colour = COLOURS[group_of(track.label)]
        cv2.rectangle(image, (left, top), (right - 1, bottom - 1), colour, cv2.FILLED)
        write(image, text, (left + style.pad, bottom - style.pad), style.letter, INK)


def _place_for(text: str, corners: Rectangle, taken: Sequence[Rectangle], image: np.ndarray, style: Style) -> Rectangle:
    """Return where a label goes: above its box, inside its upper edge, or below, the first that is free."""
    width, height = width_of(text, style.letter) + 2 * style.pad, style.letter + 2 * style.pad
    x1, y1, _, y2 = corners
    left = max(0, min(x1, image.shape[1] - width))
    places = [
        (left, top, left + width, top + height)
        for top in (y1 - height, y1, y2 + 1)
        if top >= 0 and top + height <= image.shape[0]
    ] or [(left, 0, left + width, height)]
    return next((place for place in places if not any(_touch(place, other) for other in taken)), places[0])


def _touch(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def draw_zone(image: np.ndarray, zone: ZoneMark, style: Style) -> None:
    """Tint a zone and write its name at its middle."""
    points = _pixels(zone.points, image)
    if len(points) < 3:
        return
    x, y, width, height = _bounds(points, image)
    if width and height:
        part = image[y : y + height, x : x + width]
        tinted = part.copy()
        cv2.fillPoly(tinted, [points - (x, y)], AMBER)
        cv2.addWeighted(tinted, 0.12, part, 0.88, 0, dst=part)
    cv2.polylines(image, [points], True, AMBER, style.line, cv2.LINE_AA)
    _write_tag(image, zone_text(zone), points.mean(axis=0), style)


def zone_text(zone: ZoneMark) -> str:
    """Return what is written in a zone: its name, how many are in it, and how long the first of them."""
    inside = "" if zone.people is None else f"{zone.people} inside"
    longest = age_text(zone.longest_s) if zone.people and zone.longest_s is not None else ""
    return "  ".join(filter(None, [drawable(zone.name), inside, longest]))


def draw_line(image: np.ndarray, line: LineMark, style: Style) -> None:
    """Draw a counting line with round ends, its name and its counts."""
    points = _pixels(line.points, image)
    if len(points) != 2:
        return
    start, end = (tuple(map(int, point)) for point in points)
    cv2.line(image, start, end, INK, style.line + 3, cv2.LINE_AA)
    cv2.line(image, start, end, AMBER, style.line + 1, cv2.LINE_AA)
    for point in (start, end):
        cv2.circle(image, point, style.line + 3, AMBER, cv2.FILLED, cv2.LINE_AA)
    counts = [("in", line.entries), ("out", line.exits)]
    text = "  ".join([drawable(line.name), *(f"{way} {count}" for way, count in counts if count is not None)])
    _write_tag(image, text, points.mean(axis=0), style)


def _pixels(points: Sequence[Point], image: np.ndarray) -> np.ndarray:
    """Return shares as whole pixels, int32 of shape (n, 2); empty when one of them is no number."""
    shares = np.asarray(points, float).reshape(-1, 2)
    if not np.isfinite(shares).all():
        return np.empty((0, 2), np.int32)
    height, width = image.shape[:2]
    return np.rint(np.clip(shares, -1, 2) * (width - 1, height - 1)).astype(np.int32)


def _bounds(points: np.ndarray, image: np.ndarray) -> tuple[int, int, int, int]:
    """Return x, y, width, height of the part of the picture that the points span."""
    height, width = image.shape[:2]
    low = np.clip(points.min(axis=0), 0, (width, height))
    high = np.clip(points.max(axis=0) + 1, 0, (width, height))
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])


def _write_tag(image: np.ndarray, text: str, middle: np.ndarray, style: Style) -> None:
    """Write a text on a dark ground with its middle at ``middle``, moved into the picture."""
    text = fit(drawable(text), image.shape[1] - 2 * style.pad, style.letter)
    if not text:
        return
    width, height = width_of(text, style.letter) + 2 * style.pad, style.letter + 2 * style.pad
    left = int(max(0, min(middle[0] - width / 2, image.shape[1] - width)))
    top = int(max(0, min(middle[1] - height / 2, image.shape[0] - height)))
    shade(image, left, top, width, height)
    write(image, text, (left + style.pad, top + height - style.pad), style.letter, AMBER)


def shade(image: np.ndarray, left: int, top: int, width: int, height: int, left_over: float = 0.17) -> None:
    """Darken a rectangle, of which the part outside the picture is left out."""
    part = image[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    if part.size:
        cv2.convertScaleAbs(part, dst=part, alpha=left_over, beta=8)


def draw_panel(image: np.ndarray, rows: Sequence[Sequence[Piece]], style: Style) -> None:
    """Write rows of words on a dark ground in the upper left corner."""
    left, top, right, bottom = panel_place(rows, style)
    shade(image, left, top, right - left, bottom - top)
    for number, row in enumerate(rows):
        left, bottom = 2 * style.gap, 2 * style.gap + number * style.row + style.letter
        for text, colour in row:
            write(image, text, (left, bottom), style.letter, colour)
            left += width_of(text, style.letter) + 2 * style.gap


def panel_place(rows: Sequence[Sequence[Piece]], style: Style) -> Rectangle:
    """Return where the panel lies; an empty one takes no room."""
    if not rows:
        return (0, 0, 0, 0)
    width = max(_row_width(row, style) for row in rows) + 2 * style.gap
    return (style.gap, style.gap, style.gap + width, 2 * style.gap + len(rows) * style.row)


def panel_pieces(model: OverlayModel) -> list[list[Piece]]:
    """Return the words of the panel in two groups, each of which begins a row."""
    first = [_badge(model), (drawable(model.camera), WHITE), (drawable(model.local_time), SOFT)]
    second: list[Piece] = []
    if model.people is not None:
        second.append((_counted(model.people, "person", "people"), GREEN))
    if model.vehicles is not None:
        second.append((_counted(model.vehicles, "vehicle", "vehicles"), BLUE))
    for rate, what in ((model.source_fps, "source"), (model.shown_fps, "shown")):
        if rate is not None and math.isfinite(rate):
            second.append((f"{what} {rate:.1f} fps", SOFT))
    return [[piece for piece in group if piece[0]] for group in (first, second)]


def _badge(model: OverlayModel) -> Piece:
    if model.state == LIVE:
        return "", WHITE
    word, colour = BADGES.get(model.state, (drawable(model.state).upper(), GREY))
    return (word if model.age_s is None else f"{word} {age_text(model.age_s)}"), colour


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _flow(groups: Sequence[Sequence[Piece]], width: int, style: Style) -> list[list[Piece]]:
    """Break each group into rows of at most ``width`` pixels; a piece wider than its share of a row is cut."""
    rows: list[list[Piece]] = []
    for group in groups:
        row: list[Piece] = []
        for text, colour in group:
            piece = (fit(text, int(WIDEST * width), style.letter), colour)
            if row and _row_width([*row, piece], style) > width:
                rows.append(row)
                row = []
            if piece[0]:
                row.append(piece)
        if row:
            rows.append(row)
    return rows


def _row_width(row: Sequence[Piece], style: Style) -> int:
    return sum(width_of(text, style.letter) for text, _ in row) + 2 * style.gap * (len(row) - 1)


def age_text(age_s: float) -> str:
    """Return an age as people say it: ``12 s``, ``3 min``, ``2 h 05 min``; a negative one is none."""
    if not math.isfinite(age_s):
        return "?"
    seconds = max(0, int(age_s))
    if seconds < 100:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def draw_stale(image: np.ndarray, age_s: float, note: str = "") -> np.ndarray:
    """Return a dimmed copy that says it is not live, how old it is, and ``note`` (last time, tries)."""
    dim = cv2.convertScaleAbs(image, alpha=DIMMED)
    _write_banner(dim, "NO LIVE VIDEO", " | ".join(filter(None, [f"{age_text(age_s)} ago", drawable(note)])))
    return dim


def placeholder(width: int, height: int, title: str, note: str = "") -> np.ndarray:
    """Return a dark picture with a title and a note, for a camera that has shown nothing yet."""
    image = np.full((height, width, 3), (40, 36, 32), np.uint8)
    _write_banner(image, drawable(title), drawable(note))
    return image


def _write_banner(image: np.ndarray, title: str, note: str) -> None:
    """Write two centred lines on a dark band over the middle of the picture."""
    height, width = image.shape[:2]
    small = Style.for_width(width).letter
    large = round(1.7 * small)
    total = 3 * large + large + small
    top = (height - total) // 2
    shade(image, 0, top, width, total)
    for text, letter, bottom, colour in (
        (title, large, top + 2 * large, WHITE),
        (note, small, top + 3 * large + small, SOFT),
    ):
        text = fit(text, width - 2 * small, letter)
        write(image, text, ((width - width_of(text, letter)) // 2, bottom), letter, colour)
