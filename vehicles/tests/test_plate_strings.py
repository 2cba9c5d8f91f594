"""Every row of the table of plate strings through the rules, one test each, named by its id.

The table lies beside this file; the environment variable ``PLATE_STRINGS`` names another of the same form.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vehicles.rules.gate import Judgement, Verdict, is_same_plate, judge_plate
from vehicles.rules.lists import Entry, decide_gate, find_blocked

TABLE = Path(os.environ.get("PLATE_STRINGS") or Path(__file__).parent / "data" / "plates.jsonl")
ROWS = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines() if line.strip()]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SURE = 0.99


def rows(*kinds: str) -> list[Any]:
    return [pytest.param(row, id=row["id"]) for row in ROWS if row["kind"] in kinds]


def read(text: str) -> Judgement:
    """Judge a read as the table writes it: ``MH12AB1234 @0.85`` carries its confidence."""
    plate, _, confidence = text.partition(" @")
    return judge_plate(plate, float(confidence) if confidence else SURE)


def entry(text: str) -> Entry | None:
    """Make the entry the table lists; None for one that is not in the list any more, or in that of another site.

    A remark in brackets says so, or whether it has expired, begins later, or holds for one direction only.
    """
    plate, _, remark = text.partition(" (")
    if re.search("another site|other site|inactive", remark) or re.search("removed(?!.*again)", remark):
        return None
    until = NOW - timedelta(days=1) if re.search("expired|ended|until yesterday", remark) else None
    begin = NOW + timedelta(days=1) if re.search("tomorrow|not yet|starts", remark) else None
    direction = next((way for way in ("in", "out") if re.search(rf"\b{way}(?: |-|bound)*only", remark)), "")
    judgement = judge_plate(plate, SURE)
    return Entry(judgement.match_key or plate, plate, valid_from=begin, valid_until=until, direction=direction)


def by_key(listed: str) -> dict[str, list[Entry]]:
    """Return the list a row names: one entry, or several with commas or semicolons between."""
    found: dict[str, list[Entry]] = {}
    for one in filter(None, map(entry, re.split(r"[,;]\s*(?![^(]*\))", listed))):
        found.setdefault(one.key, []).append(one)
    return found


@pytest.mark.parametrize("row", rows("plate"))
def test_a_plate_is_judged_as_the_table_says(row: dict[str, Any]) -> None:
    got = judge_plate(row["raw"], SURE)
    assert got.verdict == row["verdict"], got
    if got.verdict in {Verdict.VALID, Verdict.CORRECTED}:
        assert got.family == row["family"]
        assert got.normalised == row["normalised"]
        assert got.match_key == row["match_key"]
        assert got.accepted
    else:
        assert not got.accepted
    if row.get("candidates"):
        assert sorted(got.candidates) == sorted(row["candidates"])


@pytest.mark.parametrize("row", rows("same_plate"))
def test_two_texts_are_one_vehicle_or_two(row: dict[str, Any]) -> None:
    assert is_same_plate(row["listed"], row["read"]) is row["expect"]


@pytest.mark.parametrize("row", rows("block_list"))
def test_a_blocked_plate_is_met_or_not(row: dict[str, Any]) -> None:
    hit = find_blocked(read(row["read"]), by_key(row["listed"]), NOW)
    assert (hit.level if hit else "none") == row["expect"].removesuffix("-log")


@pytest.mark.parametrize("row", rows("allow_list", "allow_and_block"))
def test_an_allowed_plate_opens_the_gate_unless_it_is_blocked(row: dict[str, Any]) -> None:
    judgement, listed = read(row["read"]), by_key(row["listed"])
    hit = find_blocked(judgement, listed if row["kind"] == "allow_and_block" else {}, NOW)
    assert decide_gate(judgement, hit, listed, NOW) == row["expect"]
