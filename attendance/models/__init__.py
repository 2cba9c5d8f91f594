"""Shifts and rosters, punches as facts, day records derived from them, decisions, corrections and pay periods."""

from attendance.models.corrections import Correction, Supersession
from attendance.models.days import DayRecord, Decision, DirtyDay, Flag, LimitWarning
from attendance.models.periods import Adjustment, FrozenPayroll, PayPeriod, PeriodStep
from attendance.models.punches import Closing, Progress, Punch, SetAside, Source
from attendance.models.shifts import Assignment, AttendancePolicy, Holiday, Leave, Shift, ShiftVersion

__all__ = [
    "Adjustment",
    "Assignment",
    "AttendancePolicy",
    "Closing",
    "Correction",
    "DayRecord",
    "Decision",
    "DirtyDay",
    "Flag",
    "FrozenPayroll",
    "Holiday",
    "Leave",
    "LimitWarning",
    "PayPeriod",
    "PeriodStep",
    "Progress",
    "Punch",
    "SetAside",
    "Shift",
    "ShiftVersion",
    "Source",
    "Supersession",
]
