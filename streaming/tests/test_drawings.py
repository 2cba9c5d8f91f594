"""Zones, lines and masks: what is stored is what can be drawn."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.drawings import DrawingError, check_lines, check_masks, check_zones

TRIANGLE = [[0, 0], [1, 0], [0.5, 1]]


def test_a_zone_keeps_its_name_and_corners() -> None:
    assert check_zones([{"name": " Dock  1 ", "points": TRIANGLE, "colour": "red"}]) == [
        {"name": "Dock 1", "points": [[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]]}
    ]


def test_a_line_leads_in_to_the_right_unless_it_says_left() -> None:
    lines = check_lines(
        [{"name": "a", "points": [[0, 0], [1, 1]]}, {"name": "b", "points": [[0, 0], [1, 1]], "in": "left"}]
    )
    assert [line["in"] for line in lines] == ["right", "left"]


@pytest.mark.parametrize(
    ("check", "value"),
    [
        pytest.param(check_zones, "x", id="text"),
        pytest.param(check_zones, [{"name": "a"}], id="no points"),
        pytest.param(check_zones, [{"name": "", "points": TRIANGLE}], id="no name"),
        pytest.param(check_zones, [{"name": "a\nb\x00", "points": TRIANGLE}], id="a name with control characters"),
        pytest.param(check_zones, [{"name": "a", "points": TRIANGLE[:2]}], id="two corners"),
        pytest.param(check_zones, [{"name": "a", "points": TRIANGLE}] * 2, id="the same name twice"),
        pytest.param(check_zones, [{"name": "a", "points": [[0, 0], [1.1, 0], [1, 1]]}], id="outside the picture"),
        pytest.param(check_zones, [{"name": "a", "points": [[0, 0], [float("nan"), 0], [1, 1]]}], id="no number"),
        pytest.param(check_zones, [{"name": "a", "points": [[0, 0], [True, 0], [1, 1]]}], id="a truth"),
        pytest.param(check_lines, [{"name": "a", "points": TRIANGLE}], id="a line of three points"),
        pytest.param(check_lines, [{"name": "a", "points": [[0, 0], [0, 0]]}], id="a line without length"),
        pytest.param(check_lines, [{"name": "a", "points": [[0, 0], [1, 1]], "in": "up"}], id="an unknown way"),
        pytest.param(check_masks, [[[0, 0], [0, 0], [1, 1]]], id="a mask that covers nothing"),
        pytest.param(check_masks, [TRIANGLE] * 51, id="too many"),
    ],
)
def test_a_drawing_that_makes_no_sense_is_refused(check: Any, value: Any) -> None:
    with pytest.raises(DrawingError):
        check(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "points", "in"]), inner),
    max_leaves=20,
)


@given(st.sampled_from([check_zones, check_lines, check_masks]), JSON)
def test_any_value_is_kept_or_refused(check: Any, value: Any) -> None:
    with contextlib.suppress(DrawingError):
        assert check(check(value)) == check(value)
