"""Many rows in one post: each stands for itself, a repeat changes nothing, and the answer names every row refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from rest_framework import serializers

from factoryai.rest import NON_FIELD, Refusal

Row = TypeVar("Row")

MOST_ROWS: Final = 1000
"""What a worker takes within a second or two, so that a sender neither waits long nor posts again too early."""


@dataclass(slots=True)
class Received:
    """What became of a list: ``rejected`` holds (index, code, message)."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, part: Received, indexes: Sequence[int]) -> None:
        """Take over what became of some of the rows, which stood at ``indexes`` of the whole list."""
        self.accepted += part.accepted
        self.duplicates += part.duplicates
        self.rejected += [(indexes[at], code, message) for at, code, message in part.rejected]

    def answer(self) -> dict[str, Any]:
        """Return the body of the answer, refused rows in the order in which they were sent."""
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": [{"index": at, "code": code, "message": text} for at, code, text in sorted(self.rejected)],
        }


def refuse_too_many(rows: Sequence[object]) -> None:
    """Raise `Refusal` 413 for more rows than one post may have."""
    if len(rows) > MOST_ROWS:
        raise Refusal("too_many_rows", f"At most {MOST_ROWS} rows at a time.", 413)


def read_rows(data: Any, read: Callable[[Any], Row]) -> tuple[list[tuple[int, Row]], Received]:
    """Return the readable rows of a body, each with its index, and the refusals of the others.

    ``read`` raises `Refusal` for a row that it cannot read. What is no list, or too long, is refused as a whole.
    """
    if not isinstance(data, list):
        raise Refusal("not_a_list", "Send a list of rows.")
    refuse_too_many(data)
    good, received = [], Received()
    for index, item in enumerate(data):
        try:
            good.append((index, read(item)))
        except Refusal as refusal:
            received.rejected.append((index, refusal.code, refusal.message))
    return good, received


def checked(reader: serializers.Serializer, item: Any) -> dict[str, Any]:
    """Return what a serializer, one for all rows, reads in one; raises `Refusal` with its first complaint."""
    try:
        return dict(reader.run_validation(item))
    except serializers.ValidationError as refused:
        found = refused.detail if isinstance(refused.detail, dict) else {NON_FIELD: refused.detail}  # a row of null
        name, errors = next(iter(found.items()))
        text = errors[0] if name == NON_FIELD else f"{name}: {errors[0]}"
        raise Refusal(errors[0].code, text) from refused


def sort_out(
    rows: Sequence[Row], judge: Callable[[Row], tuple[str, str] | None]
) -> tuple[list[Row], list[tuple[int, str, str]]]:
    """Return the rows that ``judge`` has nothing against, and (index, code, message) of the others."""
    good, rejected = [], []
    for index, row in enumerate(rows):
        if refused := judge(row):
            rejected.append((index, *refused))
        else:
            good.append(row)
    return good, rejected


class RejectedRowSerializer(serializers.Serializer):
    index = serializers.IntegerField(help_text="Where the row stood in the list, from 0.")
    code = serializers.CharField(help_text="A word for machines.")
    message = serializers.CharField(help_text="A sentence for people; it may change.")


class ReceivedRowsSerializer(serializers.Serializer):
    """The answer to a bulk post, for the schema."""

    accepted = serializers.IntegerField(help_text="Rows that are recorded now.")
    duplicates = serializers.IntegerField(help_text="Rows that were recorded before; they change nothing.")
    rejected = RejectedRowSerializer(many=True)
