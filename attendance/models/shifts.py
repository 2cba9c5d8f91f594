"""What is to be worked, and by which rules: shifts in versions, who works them when, days off, and a site's policy."""

from __future__ import annotations

from datetime import date, time, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from attendance.querysets import AssignmentQuerySet, ShiftQuerySet
from attendance.rules import limits, rounding
from attendance.rules import shifts as rules
from attendance.rules.grace import GracePolicy
from factoryai.sites.models import Site
from factoryai.sites.querysets import ScopedQuerySet
from identity.models import Employee

DAY_MINUTES = 24 * 60
WRONG_SHIFTS = {
    "no_length": ("ends_at", "A shift does not end when it starts."),
    "window_too_long": (
        "window_after_minutes",
        "The shift and its windows together stay under 24 hours, or two days would share their punches.",
    ),
}
LONGEST_BREAK = 8 * 60
LONGEST_CYCLE = 366
FIRST_DATE, LAST_DATE = date(1990, 1, 1), date(2199, 12, 31)


def check_date(value: date) -> None:
    """Refuse dates that can only be slips of the pen; arithmetic with them would leave the calendar."""
    if not FIRST_DATE <= value <= LAST_DATE:
        raise ValidationError(f"Write a date from {FIRST_DATE} to {LAST_DATE}.", code="bad_date")


class Shift(models.Model):
    """A shift by name; what it says at a time is in its versions."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="shifts")
    name = models.CharField(max_length=60)
    is_active = models.BooleanField(default=True)

    objects = ShiftQuerySet.as_manager()

    class Meta:
        ordering = ["site", "name"]
        verbose_name = "shift name"
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="one_shift_per_name")]

    def __str__(self) -> str:
        return self.name


class ShiftVersionQuerySet(ScopedQuerySet):
    site_path = "shift__site"


class ShiftVersion(models.Model):
    """What a shift says from ``effective_from`` on, until the next version. Days before keep the version they had."""

    class DirectionPolicy(models.TextChoices):
        ALTERNATING = "alternating", "what a device does not say alternates"
        STRICT = "strict", "believe the direction that was sent"

    class WorkedPolicy(models.TextChoices):
        FIRST_LAST = "first_last", "from the first entry to the last exit"
        PAIRS = "pairs", "the sum of entries with their exits"

    class DatedBy(models.TextChoices):
        START = rules.DatedBy.START.value, "the date it starts on"
        END = rules.DatedBy.END.value, "the date it ends on"
        MOST = rules.DatedBy.MOST.value, "the date with most of the work"
        SPLIT = rules.DatedBy.SPLIT.value, "cut at midnight"

    class Overtime(models.TextChoices):
        OFF = rules.OvertimePolicy.OFF.value, "none"
        BEYOND_HOURS = rules.OvertimePolicy.BEYOND_HOURS.value, "beyond the hours of the shift"
        AFTER_END = rules.OvertimePolicy.AFTER_END.value, "after the scheduled end"
        AROUND_SHIFT = rules.OvertimePolicy.AROUND_SHIFT.value, "before the start and after the end"

    shift = models.ForeignKey(Shift, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(editable=False)
    effective_from = models.DateField(
        default=date(2000, 1, 1), validators=[check_date], help_text="The first date on which this holds."
    )
    starts_at = models.TimeField(help_text="On the clock of the site.")
    ends_at = models.TimeField(help_text="An end that is not after the start lies on the next day.")
    grace_in_minutes = models.PositiveIntegerField(
        default=5, validators=[MaxValueValidator(240)], help_text="Late is only beyond this, to the second."
    )
    grace_out_minutes = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(240)])
    window_before_minutes = models.PositiveIntegerField(
        default=120, help_text="How long before the start punches belong to this shift."
    )
    window_after_minutes = models.PositiveIntegerField(default=240, help_text="The same after the end.")
    half_day_below_minutes = models.PositiveIntegerField(default=0, help_text="Worked less is half a day. 0 is off.")
    absent_below_minutes = models.PositiveIntegerField(default=0, help_text="Worked less is absent. 0 is off.")
    break_minutes = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(LONGEST_BREAK)],
        help_text="Unpaid, taken off unless pauses were punched.",
    )
    break_after_minutes = models.PositiveIntegerField(default=0, help_text="Only for work longer than this.")
    break_slots = models.JSONField(
        default=list, blank=True, help_text='Unpaid times of the clock: [["12:00", "12:30"]].'
    )
    direction_policy = models.CharField(max_length=12, choices=DirectionPolicy, default=DirectionPolicy.ALTERNATING)
    worked_policy = models.CharField(max_length=12, choices=WorkedPolicy, default=WorkedPolicy.FIRST_LAST)
    double_entry_hours = models.PositiveIntegerField(
        default=12, validators=[MinValueValidator(1), MaxValueValidator(24)],
        help_text="A second entry of the same shift within so many hours is kept as a repeat.",
    )  # fmt: skip
    repeat_within_minutes = models.PositiveIntegerField(
        default=2, validators=[MaxValueValidator(60)], help_text="Two looks of a camera within this are one punch."
    )
    dated_by = models.CharField("belongs to", max_length=8, choices=DatedBy, default=DatedBy.START)
    overtime_policy = models.CharField(max_length=12, choices=Overtime, default=Overtime.BEYOND_HOURS)
    closes_itself = models.BooleanField(
        default=False, help_text="A session without an exit ends at the scheduled end, marked, for review."
    )
    skips_holidays = models.BooleanField(
        "leaves days off alone",
        default=False,
        help_text="Work on a holiday or a day off is not counted by itself: HR sees its punches as off shift.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )

    objects = ShiftVersionQuerySet.as_manager()

    class Meta:
        ordering = ["shift", "effective_from", "number"]
        verbose_name = "shift"
        verbose_name_plural = "shifts"
        constraints = [
            models.UniqueConstraint(fields=["shift", "number"], name="one_version_per_number"),
            models.UniqueConstraint(fields=["shift", "effective_from"], name="one_version_per_date"),
        ]

    def __str__(self) -> str:
        return f"{self.shift.name} v{self.number}"

    def clean(self) -> None:
        self.break_slots = check_slots(self.break_slots)
        if not (self.starts_at and self.ends_at):
            return
        windows = (self.window_before_minutes, self.window_after_minutes)
        before, after = (timedelta(minutes=min(length, DAY_MINUTES)) for length in windows)
        if code := rules.judge_shift(self.starts_at, self.ends_at, before, after):
            field, text = WRONG_SHIFTS[code]
            raise ValidationError({field: ValidationError(text, code=code)})

    def as_rule(self) -> rules.Shift:
        """Return the version as the rules know it."""
        minutes = {name: timedelta(minutes=getattr(self, f"{name}_minutes")) for name in _MINUTES}
        return rules.Shift(
            name=self.shift.name,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            version=self.number,
            effective_from=self.effective_from,
            breaks=tuple((_clock(start), _clock(end)) for start, end in self.break_slots),
            break_deducted=timedelta(minutes=self.break_minutes),
            double_entry=timedelta(hours=self.double_entry_hours),
            is_strict=self.direction_policy == self.DirectionPolicy.STRICT,
            counts_pairs=self.worked_policy == self.WorkedPolicy.PAIRS,
            skips_holidays=self.skips_holidays,
            closes_itself=self.closes_itself,
            dated_by=rules.DatedBy(self.dated_by),
            overtime=rules.OvertimePolicy(self.overtime_policy),
            key=self.pk or 0,
            **minutes,
        )


_MINUTES = (
    "grace_in", "grace_out", "window_before", "window_after", "half_day_below", "absent_below", "break_after",
    "repeat_within",
)  # fmt: skip


def _clock(text: str) -> time:
    return time.fromisoformat(text)


def check_slots(value: object) -> list[list[str]]:
    """Return break slots as pairs of clock times; raises ValidationError with ``bad_slots``."""
    try:
        slots = [[f"{_clock(start):%H:%M}", f"{_clock(end):%H:%M}"] for start, end in value or []]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        text = 'Write slots like [["12:00", "12:30"]].'
        raise ValidationError({"break_slots": ValidationError(text, code="bad_slots")}) from error
    return slots


def read_cycle_days(text: str) -> list[int]:
    """Return days of a turn that people write from 1, like ``1-2, 5``, as they are kept, from 0; raises ValueError."""
    found: set[int] = set()
    for part in text.replace("–", "-").replace(",", " ").split():
        first, _, last = part.partition("-")
        start, end = int(first), int(last or first)
        if not 1 <= start <= end <= LONGEST_CYCLE:
            raise ValueError(part)
        found |= set(range(start - 1, end))
    return sorted(found)


def check_weekdays(value: object) -> None:
    """Refuse anything but a list of weekdays, 0 for Monday to 6 for Sunday."""
    if not isinstance(value, list) or any(type(day) is not int or not 0 <= day <= 6 for day in value):
        raise ValidationError("Write weekdays as numbers, 0 for Monday to 6 for Sunday.", code="bad_weekdays")


class Assignment(models.Model):
    """Who works which shift, from one date to another, both included.

    ``weekdays`` None means every working day of the site. A roster that turns names the length of its cycle, the days
    of it that are worked, from 0, and the date on which it begins.
    """

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="assignments")
    shift = models.ForeignKey(Shift, models.PROTECT, related_name="assignments")
    from_date = models.DateField(validators=[check_date])
    to_date = models.DateField(validators=[check_date], null=True, blank=True, help_text="Empty: until further notice.")
    weekdays = models.JSONField(
        null=True, blank=True, validators=[check_weekdays], help_text="[0, 1, 2] is Monday to Wednesday; empty is all."
    )
    cycle_length = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(2), MaxValueValidator(366)], help_text="In days."
    )
    cycle_days = models.JSONField(null=True, blank=True, help_text="The days of the cycle that are worked, from 0.")
    cycle_anchor = models.DateField(
        validators=[check_date], null=True, blank=True, help_text="A date on which the cycle begins."
    )

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["employee", "from_date"]
        constraints = [
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")), name="assignment_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee}: {self.shift} from {self.from_date}"

    def clean(self) -> None:
        if self.from_date and self.to_date and self.to_date < self.from_date:
            text = "An assignment does not end before it starts."
            raise ValidationError({"to_date": ValidationError(text, code="end_before_start")})
        given = [self.cycle_length, self.cycle_days, self.cycle_anchor]
        if any(value is not None for value in given) and not self._is_whole_cycle():
            text = "A roster that turns needs its length, its worked days (numbers below it) and its first date."
            raise ValidationError({"cycle_length": ValidationError(text, code="bad_cycle")})

    def _is_whole_cycle(self) -> bool:
        if not (self.cycle_length and self.cycle_anchor and isinstance(self.cycle_days, list)):
            return False
        return all(type(day) is int and 0 <= day < self.cycle_length for day in self.cycle_days)

    def as_rule(self, versions: tuple[rules.Shift, ...]) -> rules.Assignment:
        """Return the assignment as the rules know it, with its shift in all ``versions``."""
        cycle = None
        if self.cycle_length and self.cycle_anchor:
            cycle = rules.Cycle(self.cycle_anchor, self.cycle_length, frozenset(self.cycle_days or ()))
        weekdays = None if self.weekdays is None else frozenset(self.weekdays)
        return rules.Assignment(versions, self.from_date, self.to_date, weekdays, cycle)


class Holiday(models.Model):
    site = models.ForeignKey(Site, models.CASCADE, related_name="holidays")
    date = models.DateField(validators=[check_date])
    name = models.CharField(max_length=80)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["site", "date"]
        constraints = [models.UniqueConstraint(fields=["site", "date"], name="one_holiday_per_date")]

    def __str__(self) -> str:
        return f"{self.name} ({self.date})"


class LeaveQuerySet(ScopedQuerySet):
    site_path = "employee__site"


class LeavePart(models.TextChoices):
    WHOLE = rules.LeavePart.WHOLE.value, "whole day"
    FIRST_HALF = rules.LeavePart.FIRST_HALF.value, "first half"
    SECOND_HALF = rules.LeavePart.SECOND_HALF.value, "second half"


class Leave(models.Model):
    """Days on which a person need not come, both dates included, or need come for one half of each only."""

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="leaves")
    from_date = models.DateField(validators=[check_date])
    to_date = models.DateField(validators=[check_date])
    part = models.CharField(
        max_length=12,
        choices=LeavePart,
        default=LeavePart.WHOLE,
        help_text="A half is cut in the middle of the shift: who is on leave for the first half is due from there on.",
    )
    kind = models.CharField(max_length=40, default="leave", help_text="Such as annual, sick or unpaid.")
    note = models.CharField(max_length=200, blank=True)

    objects = LeaveQuerySet.as_manager()

    class Meta:
        ordering = ["employee", "from_date"]
        verbose_name_plural = "leave"
        constraints = [
            models.CheckConstraint(condition=Q(to_date__gte=F("from_date")), name="leave_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"{self.employee}: {self.kind} from {self.from_date} to {self.to_date}"

    def as_rule(self) -> rules.Leave:
        return rules.Leave(self.from_date, self.to_date, rules.LeavePart(self.part))

    def clean(self) -> None:
        if self.from_date and self.to_date and self.to_date < self.from_date:
            text = "Leave does not end before it starts."
            raise ValidationError({"to_date": ValidationError(text, code="end_before_start")})


class AttendancePolicy(models.Model):
    """A site's rules from a date on; without one nothing is limited and every day is a working day."""

    class Law(models.TextChoices):
        FACTORIES_ACT = "factories_act_1948", limits.FACTORIES_ACT_1948.name
        EU = "eu_2003_88", limits.EU_2003_88.name

    class Rounding(models.TextChoices):
        NONE = rounding.Mode.NONE.value, "none"
        DOWN = rounding.Mode.DOWN.value, "down"
        UP = rounding.Mode.UP.value, "up"
        NEAREST_DOWN = rounding.Mode.NEAREST_DOWN.value, "to the nearest, the middle down"
        NEAREST_UP = rounding.Mode.NEAREST_UP.value, "to the nearest, the middle up"

    site = models.ForeignKey(Site, models.CASCADE, related_name="attendance_policies")
    effective_from = models.DateField(validators=[check_date])
    week_offs = models.JSONField(
        default=list,
        blank=True,
        validators=[check_weekdays],
        help_text="[6] is Sunday; for assignments that name no days.",
    )
    default_shift = models.ForeignKey(
        Shift, models.PROTECT, null=True, blank=True, related_name="+", help_text="For people without an assignment."
    )
    counts_unplanned_work = models.BooleanField(
        default=False, help_text="People without any shift: count their sessions. Otherwise HR sees their punches."
    )
    monthly_grace_uses = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: as often as needed.")
    monthly_grace_minutes = models.PositiveIntegerField(null=True, blank=True)
    free_lates = models.PositiveIntegerField(default=0, help_text="Late days a month that have no consequence.")
    half_day_every = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Every so many-th late day is half a day."
    )
    law = models.CharField("limits to watch", max_length=20, choices=Law, blank=True)
    pay_rounding = models.CharField(max_length=14, choices=Rounding, default=Rounding.NONE)
    pay_rounding_minutes = models.PositiveIntegerField(
        default=15, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["site", "effective_from"]
        verbose_name_plural = "attendance policies"
        constraints = [models.UniqueConstraint(fields=["site", "effective_from"], name="one_policy_per_date")]

    def __str__(self) -> str:
        return f"{self.site} from {self.effective_from}"

    @property
    def grace(self) -> GracePolicy:
        return GracePolicy(self.monthly_grace_uses, self.monthly_grace_minutes, self.free_lates, self.half_day_every)
