"""Number plates of the vehicles before a camera: looked for in their boxes, voted by track, told when they are known.

Runs in the camera process. A vehicle that comes nearer is looked at in every frame until four reads agree; then only
now and then, so that a parked car costs next to nothing, is told once a minute, and is still noticed when another
takes its place.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np

from identity.pictures import encode_picture
from streaming.frames import VEHICLE, Analysis, Box, Frame, Observation, Track, group_of
from vehicles.passage import Passage, Report, Ruling, middle
from vehicles.readers.base import PlateReader, PlateText
from vehicles.rules.marks import parse_mark
from vehicles.zones import GateZone

LOOKS_PER_FRAME = 2
"""Vehicles looked at in one frame, those that waited longest: each look costs about 60 ms on one core."""

NARROWEST = 48
"""A vehicle of fewer pixels across carries no legible plate."""

GONE_S = 3.5
"""Longer than the tracker remembers what is hidden, so that a vehicle found again is the same passage."""

MARGIN = 0.04
BESIDE, ABOVE = 0.2, 0.5
"""What is kept around a plate in its picture, in its widths and heights: enough to see that nothing was cut off."""

WIDEST_CROP = 480
SIDE_PX = 3
"""A plate that ends so near to a side of what was looked at may go on beyond it."""

CUT_OFF = 0.5
"""How sure a read is at most that may be the beginning or the end of a longer plate."""

AWAY = 0.3
"""Share of its width that a vehicle must have come before its way says whether it goes in or out."""


@dataclass(frozen=True, slots=True)
class PlatePolicy:
    """What one camera asks.

    ``direction`` is ``in``, ``out``, or empty when the camera sees both ways: then a vehicle's way over the first of
    ``lines`` says it, each two points as shares of the picture and whether in is clockwise. ``zones`` are polygons in
    shares, in which plates are read even where no vehicle is detected.
    """

    direction: str = ""
    zones: Sequence[Sequence[tuple[float, float]]] = ()
    lines: Sequence[tuple[Sequence[tuple[float, float]], bool]] = ()
    ruling: Ruling = field(default_factory=Ruling)


class PlateAnalyser:
    """Implements `streaming.frames.Analyser` for cameras at a gate."""

    def __init__(self, reader: PlateReader, policy: PlatePolicy | None = None) -> None:
        self._reader, self._policy = reader, policy or PlatePolicy()
        self._epoch = uuid.uuid4().hex[:10]
        self._passages: dict[int, Passage] = {}
        self._zones = [GateZone(points) for points in self._policy.zones]
        self._count = 0

    def analyse(self, frame: Frame, tracks: Sequence[Track]) -> Analysis:
        at, vehicles = frame.captured_at, [track for track in tracks if _is_vehicle(track)]
        reports: list[tuple[Report, Passage]] = []
        for track in vehicles:
            self._passage_of(track.id).see(track.box, at)
        for track in self._due(vehicles, at):
            reports += self._look(frame, track, vehicles)
        for zone in self._zones:
            reports += self._look_at_zone(frame, zone, tracks)
        reports += self._tell(at)
        observations = [self._observe(frame, report, passage) for report, passage in reports]
        return Analysis(observations, self._names())

    # Vehicles

    def _passage_of(self, track_id: int) -> Passage:
        if track_id not in self._passages:
            self._passages[track_id] = self._begin()
        return self._passages[track_id]

    def _begin(self) -> Passage:
        self._count += 1
        return Passage(f"{self._epoch}-{self._count}", self._policy.ruling)

    def _due(self, vehicles: Sequence[Track], at: float) -> list[Track]:
        due = [track for track in vehicles if self._passages[track.id].is_look_due(at)]
        return sorted(due, key=lambda track: self._passages[track.id].looked_at)[:LOOKS_PER_FRAME]

    def _look(self, frame: Frame, track: Track, vehicles: Sequence[Track]) -> list[tuple[Report, Passage]]:
        """Read the plates in a vehicle's box; one on a vehicle before it is that one's."""
        left, top, right, bottom = around(track.box, frame.image, MARGIN)
        found = self._read(frame.image, (left, top, right, bottom))
        own = [plate for plate in found if owner_of(plate.box, vehicles) == track.id]
        passage = self._passages[track.id]
        passage.look(frame.captured_at, has_found=bool(own))
        if not own:
            return []
        if passage.is_of_another(own[0]):
            last = passage.last_report()
            ended = [(last, passage)] if last else []
            self._passages[track.id] = passage = self._begin()
            passage.see(track.box, frame.captured_at)
            passage.look(frame.captured_at, has_found=True)
        else:
            ended = []
        if not passage.may_be_another:
            passage.note(own[0], cut_out(frame.image, own[0].box), frame.captured_at)
        return ended

    def _read(self, image: np.ndarray, bounds: tuple[int, int, int, int]) -> list[PlateText]:
        """Read the plates in a part of the picture; what its sides may have cut off is not sure."""
        left, top, right, bottom = bounds
        found = self._reader.read(image[top:bottom, left:right])
        return [moved(doubted_at_side(plate, right - left), left, top) for plate in found]

    def _tell(self, at: float) -> Iterable[tuple[Report, Passage]]:
        """Tell what is due, and what there was to say of vehicles that have gone."""
        for track_id, passage in list(self._passages.items()):
            is_gone = at - passage.seen_at > GONE_S or at < passage.seen_at
            report = passage.last_report() if is_gone else passage.report(at)
            if is_gone:
                del self._passages[track_id]
            if report:
                yield report, passage

    # Zones

    def _look_at_zone(self, frame: Frame, zone: GateZone, tracks: Sequence[Track]) -> list[tuple[Report, Passage]]:
        """Read in a zone where no vehicle is detected; a passage there lasts while its plate is found."""
        at, ended = frame.captured_at, []
        vehicles = [track.box for track in tracks if group_of(track.label) == VEHICLE]
        if zone.is_look_due(frame.image, vehicles, at):
            found = self._read(frame.image, zone.bounds(frame.image))
            inside = [plate for plate in found if zone.holds(middle(plate.box), frame.image)]
            zone.look(at, has_found=bool(inside))
            ended = self._note_in_zone(frame, zone, inside)
        passage = zone.passage
        if passage is None:
            return ended
        if zone.is_over(at):
            zone.passage = None
            report = passage.last_report()
        else:
            if zone.stands_still:
                passage.see(passage.box, at)
            report = passage.report(at)
        return [*ended, (report, passage)] if report else ended

    def _note_in_zone(self, frame: Frame, zone: GateZone, plates: Sequence[PlateText]) -> list[tuple[Report, Passage]]:
        if not plates:
            return []
        plate, ended = plates[0], []
        if zone.passage is not None and zone.passage.is_of_another(plate):
            last = zone.passage.last_report()
            ended, zone.passage = [(last, zone.passage)] if last else [], None
        if zone.passage is None:
            zone.passage = self._begin()
        zone.passage.see(plate.box, frame.captured_at)
        if not zone.passage.may_be_another:
            zone.passage.note(plate, cut_out(frame.image, plate.box), frame.captured_at)
        return ended

    # Telling

    def _observe(self, frame: Frame, report: Report, passage: Passage) -> Observation:
        plate, vote = report.shot.plate, report.vote
        data: dict[str, Any] = {
            "track": report.track,
            "plate": vote.text,
            "raw": plate.raw,
            "confidence": vote.confidence,
            "characters": list(vote.characters),
            "candidates": [list(candidate) for candidate in report.candidates],
            "box": list(plate.box),
            "agreeing_reads": vote.agreeing,
            "is_final": report.is_final,
            "picture": base64.b64encode(encode_picture(report.shot.picture, 88)).decode(),
            "direction": self._direction(passage, frame.image),
        }
        return Observation("plate", frame.camera, report.at, data)

    def _direction(self, passage: Passage, image: np.ndarray) -> str:
        if self._policy.direction or not self._policy.lines:
            return self._policy.direction
        height, width = image.shape[:2]
        ((ax, ay), (bx, by)), is_in_clockwise = self._policy.lines[0]
        x, y = passage.way()
        if np.hypot(x, y) < AWAY * (passage.box[2] - passage.box[0]):
            return ""
        side = (bx - ax) * width * y - (by - ay) * height * x
        return "in" if (side > 0) == is_in_clockwise else "out"

    def _names(self) -> dict[int, str]:
        """Return the plates that are accepted, by track id, to be drawn."""
        accepted = {track: passage for track, passage in self._passages.items() if passage.is_accepted}
        return {track: passage.vote.text for track, passage in accepted.items()}


def _is_vehicle(track: Track) -> bool:
    is_wide = track.box[2] - track.box[0] >= NARROWEST
    return group_of(track.label) == VEHICLE and track.is_confirmed and not track.missed_s and is_wide


def owner_of(plate: Box, vehicles: Sequence[Track]) -> int | None:
    """Return the track a plate belongs to: of all whose box holds it, the vehicle that stands nearest."""
    x, y = middle(plate)
    holding = [track for track in vehicles if _holds(track.box, x, y)]
    if not holding:
        return None
    return max(holding, key=lambda track: (track.box[3], -_area(track.box))).id


def _holds(box: Box, x: float, y: float) -> bool:
    spare = MARGIN * (box[2] - box[0])
    return box[0] - spare <= x <= box[2] + spare and box[1] - spare <= y <= box[3] + spare


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def around(box: Box, image: np.ndarray, margin: float) -> tuple[int, int, int, int]:
    """Return a box with a margin, a share of its width, as whole pixels inside the picture."""
    height, width = image.shape[:2]
    spare = margin * (box[2] - box[0])
    left, top = max(0, int(box[0] - spare)), max(0, int(box[1] - spare))
    return left, top, max(left + 1, min(width, int(box[2] + spare))), max(top + 1, min(height, int(box[3] + spare)))


def moved(plate: PlateText, left: int, top: int) -> PlateText:
    """Return a plate read in a part of the picture with its box in the whole."""
    x1, y1, x2, y2 = plate.box
    return PlateText(
        plate.text,
        plate.confidence,
        plate.characters,
        plate.candidates,
        (x1 + left, y1 + top, x2 + left, y2 + top),
        plate.raw,
    )


def cut_out(image: np.ndarray, box: Box) -> np.ndarray:
    """Return a picture of a plate with what is around it, for people to judge by; at most 480 pixels wide."""
    wide, high = BESIDE * (box[2] - box[0]), ABOVE * (box[3] - box[1])
    left, top, right, bottom = around((box[0] - wide, box[1] - high, box[2] + wide, box[3] + high), image, 0)
    crop = image[top:bottom, left:right]
    if crop.shape[1] <= WIDEST_CROP:
        return crop.copy()
    ratio = WIDEST_CROP / crop.shape[1]
    return cv2.resize(crop, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)


def doubted_at_side(plate: PlateText, width: int) -> PlateText:
    """Return a plate that touches a side of a picture of ``width`` as one that is not sure: of WB04H5023 the picture
    may end after WB04H50, which is a plate as well. A usual standard mark with its four digits is whole."""
    if plate.box[0] > SIDE_PX and plate.box[2] < width - SIDE_PX:
        return plate
    mark = parse_mark(plate.text)
    if mark and mark.family == "standard" and not mark.is_unusual:
        return plate
    return replace(plate, confidence=min(plate.confidence, CUT_OFF))
