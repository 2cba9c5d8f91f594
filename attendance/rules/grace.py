"""The ledger of grace: how often and how long it was used in a month, and what follows from that by rules as data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from attendance.rules import flags as explain
from attendance.rules.days import DayRecord
from attendance.rules.flags import Flag, FlagKind
from attendance.rules.intervals import NOTHING

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class GracePolicy:
    """What a person may use in a calendar month; None is without limit.

    ``free_lates`` late days have no consequence; of those after them every ``half_day_every``-th counts as half a day.
    """

    monthly_uses: int | None = None
    monthly_minutes: int | None = None
    free_lates: int = 0
    half_day_every: int | None = None

    @property
    def is_limited(self) -> bool:
        return self.monthly_uses is not None or self.monthly_minutes is not None


@dataclass(slots=True)
class Ledger:
    """One person's month: ``lates`` are the late days that HR has not excused."""

    uses: int = 0
    minutes: int = 0
    lates: int = 0

    def fits(self, minutes: int, policy: GracePolicy) -> bool:
        """Whether one more use of so many minutes is within the month's allowance."""
        in_uses = policy.monthly_uses is None or self.uses < policy.monthly_uses
        return in_uses and (policy.monthly_minutes is None or self.minutes + minutes <= policy.monthly_minutes)


def remaining(ledger: Ledger, policy: GracePolicy) -> tuple[int | None, int | None]:
    """Return the uses and the minutes that are left of the month; None is without limit."""
    uses = None if policy.monthly_uses is None else max(0, policy.monthly_uses - ledger.uses)
    minutes = None if policy.monthly_minutes is None else max(0, policy.monthly_minutes - ledger.minutes)
    return uses, minutes


def keep_ledger(
    records: Sequence[DayRecord], policy: GracePolicy, zone: ZoneInfo, excused: Collection[str] = ()
) -> tuple[list[DayRecord], Ledger]:
    """Go through one person's month in order and judge what only the month can tell.

    A use of grace that the allowance no longer covers is late after all. ``excused`` holds the digests of flags that HR
    has excused: those late days do not count. A day that is late uses no grace.
    """
    ledger = Ledger()
    return [_judge(record, ledger, policy, zone, excused) for record in sorted(records, key=_by_start)], ledger


def _by_start(record: DayRecord) -> tuple[object, ...]:
    starts_at = record.occurrence.starts_at.isoformat() if record.occurrence else ""
    return (record.shift_date, starts_at, record.shift or "")


def _judge(
    record: DayRecord, ledger: Ledger, policy: GracePolicy, zone: ZoneInfo, excused: Collection[str]
) -> DayRecord:
    if record.grace_used_minutes or (not record.is_late and record.after_start > NOTHING):
        if ledger.fits(record.grace_used_minutes, policy):
            ledger.uses += 1
            ledger.minutes += record.grace_used_minutes
            return record
        record = _without_grace(record, ledger, policy, zone)
    elif record.is_late and policy.is_limited:
        record = _with_usage(record, ledger, policy)
    return _count_late(record, ledger, policy, excused) if record.is_late else record


def _without_grace(record: DayRecord, ledger: Ledger, policy: GracePolicy, zone: ZoneInfo) -> DayRecord:
    if record.occurrence is None or record.entry is None:
        return record
    late = explain.late(record.occurrence, record.entry, zone, used_up=f"; none left, {_usage(ledger, policy)}")
    return replace(record, grace=NOTHING, flags=(late, *record.flags))


def _with_usage(record: DayRecord, ledger: Ledger, policy: GracePolicy) -> DayRecord:
    usage = _usage(ledger, policy)
    told = [replace(f, why=f"{f.why}; {usage}") if f.kind is FlagKind.LATE else f for f in record.flags]
    return replace(record, flags=tuple(told))


def _usage(ledger: Ledger, policy: GracePolicy) -> str:
    if policy.monthly_minutes is not None:
        return f"grace used this month {ledger.minutes} of {policy.monthly_minutes}"
    return f"grace used this month {ledger.uses} of {policy.monthly_uses} times"


def _count_late(record: DayRecord, ledger: Ledger, policy: GracePolicy, excused: Collection[str]) -> DayRecord:
    if any(flag.digest in excused for flag in record.flags if flag.kind is FlagKind.LATE):
        return record
    ledger.lates += 1
    counted = ledger.lates - policy.free_lates
    if not policy.half_day_every or counted <= 0 or counted % policy.half_day_every:
        return record
    penalty: Flag = explain.lates_half_day(ledger.lates, policy.half_day_every, policy.free_lates)
    return replace(record, flags=(*record.flags, penalty))
