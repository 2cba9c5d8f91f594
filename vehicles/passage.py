"""One vehicle before one camera: when its plate is looked at, what its reads say together, and when that is told.

Instants are capture times in Unix seconds. Nothing here sees a whole picture: what is kept is the best cut-out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from streaming.frames import Box
from vehicles.readers.base import PlateText
from vehicles.rules.formats import PlateFormat
from vehicles.rules.gate import ENOUGH, Profile, judge_plate
from vehicles.rules.lists import AGREEING_READS
from vehicles.rules.voting import Read, Vote, keep_best, vote_reads

LONE_WAIT_S = 0.8
"""How long a sure read waits for a second that agrees before it is told alone: a gate has a second or two."""

DOUBT_AFTER_S = 3.0
"""When what is read of a waiting vehicle is told although it is not accepted: the guard has to decide."""

KEEP_ALIVE_S = 60.0
LAST_WORD_S = 15.0
"""How long after it was told a passage ends with a word of its own: when the vehicle was last seen."""

SETTLED_READS = 4
MOVING_S, STANDING_S, FRUITLESS_S = 1.0, 10.0, 1.0
"""Between looks at a vehicle whose plate is settled, moving and standing, and at one where nothing is found."""

FRUITLESS_LOOKS = 4
TIRED_AFTER, TIRED_S = 40, 2.0
"""Looks after which a plate that is never sure is looked at less often."""

UNSURE_S, NEARER = 0.35, 1.05
"""Between looks at a plate that is not sure yet, unless the vehicle has come nearer: the same view says the same."""

MOVED, GROWN = 0.1, 1.15
"""Share of its width by which a box has moved, and how many times as large it is, when it is worth another look."""

PLAUSIBLE = 0.6
"""Mean probability of the characters from which on a doubtful read is told at all; grilles stay below."""

MOST_CHANGES = 6
OTHER_CHARACTERS = 3
MOST_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class Ruling:
    """How the site judges its plates."""

    profile: Profile = Profile.INDIA
    formats: Sequence[PlateFormat] = ()

    def accepts(self, vote: Vote) -> bool:
        return judge_plate(vote.text, vote.confidence, self.profile, self.formats).accepted


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """The best picture of the plate so far, BGR, with the read it gave."""

    picture: np.ndarray
    plate: PlateText


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What is told of a passage at one time."""

    track: str
    vote: Vote
    candidates: tuple[tuple[str, float], ...]
    shot: Shot
    at: float
    is_final: bool


@dataclass(slots=True)
class Passage:
    """The passage of one vehicle. ``track`` names it for ever."""

    track: str
    ruling: Ruling
    box: Box = (0, 0, 0, 0)
    first_box: Box | None = None
    seen_at: float = 0.0
    looked_at: float = -math.inf
    looked_box: Box | None = None
    looks: int = 0
    fruitless: int = 0
    reads: list[Read] = field(default_factory=list)
    texts: list[PlateText] = field(default_factory=list)
    vote: Vote | None = None
    is_accepted: bool = False
    noted_at: float = -math.inf
    first_read_at: float = 0.0
    accepted_at: float = 0.0
    shot: Shot | None = None
    strangers: list[str] = field(default_factory=list)
    told: Vote | None = None
    told_at: float = 0.0
    was_accepted: bool = False
    changes: int = 0

    def see(self, box: Box, at: float) -> None:
        self.box, self.seen_at = box, at
        self.first_box = self.first_box or box

    # When to look

    def is_look_due(self, at: float) -> bool:
        return at - self.looked_at >= self._interval_s()

    def _interval_s(self) -> float:
        if self.is_settled:
            return MOVING_S if self._has_moved() else STANDING_S
        if self.fruitless >= FRUITLESS_LOOKS and not self._has_grown():
            return FRUITLESS_S if self._has_moved() else TIRED_S
        if self.looks >= TIRED_AFTER and not self._has_moved():
            return TIRED_S
        return UNSURE_S if self.reads and not self.is_accepted and not self._has_grown(NEARER) else 0.0

    @property
    def is_settled(self) -> bool:
        return self.is_accepted and self.vote is not None and self.vote.agreeing >= SETTLED_READS

    def _has_moved(self) -> bool:
        if self.looked_box is None:
            return True
        (ax, ay), (bx, by) = middle(self.looked_box), middle(self.box)
        return math.hypot(bx - ax, by - ay) > MOVED * (self.box[2] - self.box[0])

    def _has_grown(self, times: float = GROWN) -> bool:
        if self.looked_box is None:
            return True
        return self.box[2] - self.box[0] > times * (self.looked_box[2] - self.looked_box[0])

    def look(self, at: float, *, has_found: bool) -> None:
        """Note that the vehicle was looked at. Where nothing is found, growth counts from the last fruitful look."""
        self.looks, self.looked_at = self.looks + 1, at
        self.fruitless = 0 if has_found else self.fruitless + 1
        self.looked_box = self.box

    # What was read

    def note(self, plate: PlateText, picture: np.ndarray, at: float) -> None:
        """Take one read in, and vote anew; the same picture shown again is no second witness."""
        if at == self.noted_at:
            return
        self.noted_at = at
        x1, y1, x2, y2 = plate.box
        read = Read(plate.text, plate.characters, plate.confidence, (x2 - x1) * (y2 - y1))
        if not self.reads:
            self.first_read_at = at
        self.reads = keep_best([*self.reads, read])
        self.texts = [*self.texts, plate][-len(self.reads) - 1 :]
        self.vote = vote_reads(self.reads, self.ruling.formats)
        if self._is_better_shot(plate, read):
            self.shot = Shot(picture, plate)
        is_accepted = self.vote is not None and self.ruling.accepts(self.vote)
        if is_accepted and not self.is_accepted:
            self.accepted_at = at
        self.is_accepted = is_accepted

    def _is_better_shot(self, plate: PlateText, read: Read) -> bool:
        """Whether a read gives the picture to keep: one that says what the vote says before one that does not."""
        if self.shot is None or self.vote is None:
            return True
        old, text = self.shot.plate, self.vote.text
        if (plate.text == text) != (old.text == text):
            return plate.text == text
        return plate.confidence > old.confidence

    def is_of_another(self, plate: PlateText) -> bool:
        """Whether a read shows that another vehicle has taken this one's place under the same track.

        Two sure reads in a row say so, when they agree and differ from what was told in three characters or more.
        """
        told = self.told.text if self.told and self.was_accepted else None
        if told is None or plate.confidence <= ENOUGH or differences(plate.text, told) < OTHER_CHARACTERS:
            self.strangers = []
            return False
        is_repeated = bool(self.strangers) and self.strangers[-1] == plate.text
        self.strangers = [plate.text]
        return is_repeated

    @property
    def may_be_another(self) -> bool:
        """Whether the newest read was of another vehicle, perhaps: it is not voted on until that is known."""
        return bool(self.strangers)

    # What is told

    def report(self, at: float) -> Report | None:
        """Return what is to be told now; None when nothing is."""
        if not self._is_report_due(at):
            return None
        return self._tell(at, is_final=False)

    def last_report(self) -> Report | None:
        """Return what is told at the end of the passage; None when there is nothing more to say than was told already,
        or was nothing plausible to read."""
        if self.vote is None or not (self.told or self._is_plausible()):
            return None
        is_said = self.told is not None and self.told.text == self.vote.text and self.was_accepted == self.is_accepted
        if is_said and not self._is_agreed_anew() and self.seen_at - self.told_at < LAST_WORD_S:
            return None
        return self._tell(max(self.seen_at, self.told_at), is_final=True)

    def _is_report_due(self, at: float) -> bool:
        vote = self.vote
        if vote is None:
            return False
        if self.told is None:
            if self.is_accepted:
                return vote.agreeing >= AGREEING_READS or at - self.accepted_at >= LONE_WAIT_S
            is_waiting = at - self.first_read_at >= DOUBT_AFTER_S and not self._has_moved()
            return is_waiting and self._is_plausible()
        if at - self.told_at >= KEEP_ALIVE_S:
            return True
        return self.changes < MOST_CHANGES and self.is_accepted and self._has_news(vote)

    def _has_news(self, vote: Vote) -> bool:
        """Whether what is known now would change what a gate does."""
        if not self.was_accepted or vote.text != self.told.text:
            return vote.agreeing >= AGREEING_READS
        return self._is_agreed_anew()

    def _is_agreed_anew(self) -> bool:
        return self.vote.agreeing >= AGREEING_READS > self.told.agreeing

    def _is_plausible(self) -> bool:
        characters = self.vote.characters if self.vote else ()
        return bool(characters) and sum(characters) / len(characters) >= PLAUSIBLE

    def _tell(self, at: float, *, is_final: bool) -> Report:
        if self.told is not None and self.told.text != self.vote.text:
            self.changes += 1
        self.told, self.told_at, self.was_accepted = self.vote, at, self.is_accepted
        return Report(self.track, self.vote, self._candidates(), self.shot, at, is_final)

    def _candidates(self) -> tuple[tuple[str, float], ...]:
        """Return the texts that remain possible with their shares of belief, over all reads, the best first."""
        shares: dict[str, float] = defaultdict(float)
        total = sum(text.confidence for text in self.texts)
        for plate in self.texts:
            for text, share in plate.candidates:
                shares[text] += share * plate.confidence
        ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:MOST_CANDIDATES]
        return tuple((text, round(share / total, 4)) for text, share in ranked) if total else ()

    # Which way

    def way(self) -> tuple[float, float]:
        """Return how far the middle of the box has come since it was first seen, in pixels."""
        (ax, ay), (bx, by) = middle(self.first_box or self.box), middle(self.box)
        return bx - ax, by - ay


def middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def differences(one: str, other: str) -> int:
    """Return by how many characters two texts differ; a part of the other differs by none."""
    if one in other or other in one:
        return 0
    if len(one) != len(other):
        return max(len(one), len(other))
    return sum(a != b for a, b in zip(one, other, strict=True))
