"""Fields of forms in the words of the floor: weekdays as ticks, breaks and turns as they are written on paper."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from attendance.models.shifts import check_slots, read_cycle_days

WEEKDAYS = [(0, "Mon"), (1, "Tue"), (2, "Wed"), (3, "Thu"), (4, "Fri"), (5, "Sat"), (6, "Sun")]


class WeekdaysField(forms.TypedMultipleChoiceField):
    """Weekdays as ticks; ``empty`` is what none of them means."""

    def __init__(self, *, empty: Any, **kwargs: Any) -> None:
        super().__init__(
            choices=WEEKDAYS,
            coerce=int,
            required=False,
            empty_value=empty,
            widget=forms.CheckboxSelectMultiple,
            **kwargs,
        )


class SlotsField(forms.CharField):
    """Times of the clock like ``12:00-12:30, 15:00-15:15`` for ``[["12:00", "12:30"], …]``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.TextInput(attrs={"size": 40}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return ", ".join("-".join(slot) for slot in value)
        return value

    def clean(self, value: str) -> list[list[str]]:
        text = super().clean(value)
        slots = [[end.strip() for end in re.split("[-–]", part)] for part in text.split(",") if part.strip()]
        try:
            return check_slots(slots)
        except forms.ValidationError as error:
            raise forms.ValidationError("Write times like 12:00-12:30, 15:00-15:15.", code="bad_slots") from error


class CycleDaysField(forms.CharField):
    """Days of a turn, from 1, like ``1-2, 5`` for ``[0, 1, 4]``; empty is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return ", ".join(str(day + 1) for day in value)
        return value

    def clean(self, value: str) -> list[int] | None:
        try:
            return read_cycle_days(super().clean(value)) or None
        except ValueError as error:
            raise forms.ValidationError("Write days like 1-2, 5.", code="bad_cycle") from error
