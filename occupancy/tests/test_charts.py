"""Charts say what the numbers say, escape what people typed, and survive empty days."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.charts import Bar, describe, draw_chart, draw_signed


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def test_every_measured_bucket_has_a_band_and_the_averages_one_line() -> None:
    drawn = parse(draw_chart([Bar("08", 4.5, 9, 1), Bar("09"), Bar("10", 6.0, 7, 5)], title="Today"))
    assert len(drawn.findall("rect")) == 2
    assert drawn.find("path").get("d").count("M") == 2


def test_a_bucket_with_a_gap_is_marked() -> None:
    drawn = parse(draw_chart([Bar("08", 4.5, 9, 1, is_complete=False)], title="Today"))
    assert drawn.find("rect").get("class") == "chart-band is-incomplete"


def test_an_empty_day_says_so() -> None:
    drawn = parse(draw_chart([Bar(f"{hour:02}") for hour in range(24)], title="Today"))
    assert drawn.find("desc").text == "No counts yet."
    assert drawn.find("rect") is None


def test_no_buckets_at_all_is_still_a_picture() -> None:
    assert parse(draw_chart([], title="Today")).tag == "svg"


def test_typed_text_is_inert() -> None:
    drawn = parse(draw_chart([Bar("<script>", 1.0, 1, 1)], title="A & B <img>"))
    assert drawn.find("title").text == "A & B <img>"
    assert drawn.find("script") is None


def test_the_description_names_the_fullest_bucket_and_the_capacity() -> None:
    assert describe([Bar("08", 1, 2, 0), Bar("09", 5, 30, 2)], 40).startswith("Most people inside: 30 at 09.")
    assert describe([Bar("08", 1, 2, 0)], 40).endswith("capacity 40.")


@given(
    st.lists(st.tuples(st.integers(0, 50_000), st.integers(0, 50_000)), max_size=31),
    st.one_of(st.none(), st.integers(1, 60_000)),
)
def test_nothing_is_drawn_outside_the_picture(counts: list[tuple[int, int]], capacity: int | None) -> None:
    bars = [Bar(str(n), (a + b) / 2, max(a, b), min(a, b)) for n, (a, b) in enumerate(counts)]
    for rect in parse(draw_chart(bars, title="Any", capacity=capacity)).findall("rect"):
        x, y, width, height = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert x + width <= 760
        assert y >= 0
        assert y + height <= 260


@pytest.mark.parametrize("peak", [0, 3, 9, 100, 101, 99_999])
def test_the_axis_ends_at_a_round_number_that_holds_the_peak(peak: int) -> None:
    ticks = [int(t.text) for t in parse(draw_chart([Bar("08", peak, peak, 0)], title="x")).findall("text")[:5]]
    assert ticks[-1] >= peak
    assert len({b - a for a, b in pairwise(ticks)}) == 1


def test_what_was_too_many_stands_above_zero_and_what_was_too_few_below():
    chart = ElementTree.fromstring(draw_signed([("1 Mar", 3), ("<2>", -3), ("3 Mar", 0)], title="Drift"))
    up, down, flat = (rect.attrib for rect in chart.iter("rect"))
    assert float(up["y"]) + float(up["height"]) == float(down["y"]) == float(flat["y"])
    assert float(up["height"]) == float(down["height"]) > float(flat["height"])
    assert "<2>" in [text.text for text in chart.iter("text")]


def test_no_drift_yet_is_an_empty_chart_that_says_so():
    assert "No values yet." in draw_signed([], title="Drift")
