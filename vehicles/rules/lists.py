"""What the gate does with a read: fuzzy toward alarm, exact toward opening, and a block beats everything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vehicles.rules.gate import Judgement, Verdict

AGREEING_READS = 2
"""Reads of one track that must say the same before a gate opens."""


class Decision(StrEnum):
    OPEN = "open"
    HOLD = "hold"
    BLOCK = "block"


class Level(StrEnum):
    CRITICAL = "critical"
    PROBABLE = "critical-probable"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list. It holds from ``valid_from`` (inclusive) until ``valid_until`` (exclusive); None: no end.

    ``direction`` narrows an allowed entry to ``in`` or ``out``; empty: both.
    """

    key: str
    plate: str
    reason: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    direction: str = ""

    def holds(self, at: datetime) -> bool:
        has_begun = self.valid_from is None or at >= self.valid_from
        return has_begun and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True, slots=True)
class Hit:
    """A blocked entry that a read meets, and how surely."""

    level: Level
    entry: Entry


def find_blocked(judgement: Judgement, blocked: Mapping[str, Iterable[Entry]], at: datetime) -> Hit | None:
    """Return the blocked entry a read meets now, the surest first; ``blocked`` is by match key.

    A valid read is critical. A corrected read, or one candidate of an ambiguous one, is critical-probable. How sure
    the reader was does not matter here: a doubtful read of a blocked plate is still worth an alarm.
    """
    is_exact = judgement.verdict is Verdict.VALID and "low_confidence" not in judgement.reasons
    for key in judgement.keys:
        for entry in blocked.get(key, ()):
            if entry.holds(at):
                return Hit(Level.CRITICAL if is_exact and key == judgement.match_key else Level.PROBABLE, entry)
    return None


def decide_gate(
    judgement: Judgement,
    hit: Hit | None,
    allowed: Mapping[str, Iterable[Entry]],
    at: datetime,
    *,
    direction: str = "",
    agreeing_reads: int = AGREEING_READS,
) -> Decision:
    """Decide what the gate does; whatever is not certain holds.

    It opens only for an accepted, valid (never a corrected) plate that two reads agree on, with an allowed entry in
    force for the direction.
    """
    if hit is not None:
        return Decision.BLOCK
    is_exact = judgement.accepted and judgement.verdict is Verdict.VALID and judgement.match_key is not None
    if not is_exact or agreeing_reads < AGREEING_READS:
        return Decision.HOLD
    entries = allowed.get(judgement.match_key or "", ())
    is_allowed = any(e.holds(at) and (not e.direction or e.direction == direction) for e in entries)
    return Decision.OPEN if is_allowed else Decision.HOLD
