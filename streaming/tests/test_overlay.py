"""What is drawn: what must be seen, what must never be touched, and that masks stay black."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming import overlay
from streaming.frames import Track
from streaming.lettering import drawable, fit, width_of, write
from streaming.masks import MaskError, PrivacyMasks
from streaming.overlay import (
    LineMark,
    OverlayModel,
    Style,
    ZoneMark,
    age_text,
    draw_overlay,
    draw_stale,
    label_of,
    panel_pieces,
    placeholder,
)

WIDTHS = [320, 640, 1280, 1920]


def track(box: tuple[float, float, float, float], label: str = "person", **state: object) -> Track:
    return replace(Track(7, label, 0.87, box, True, 0.0, 1.0), **state)


def blank(width: int = 640, height: int = 360, shade: int = 128) -> np.ndarray:
    return np.full((height, width, 3), shade, np.uint8)


def drawn(model: OverlayModel, width: int = 640, height: int = 360, shade: int = 128) -> np.ndarray:
    image = blank(width, height, shade)
    draw_overlay(image, model)
    return image


def holds(image: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((image == colour).all(axis=2).any())


ANY = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-2000, 4000)
TEXTS = st.text(max_size=30)
TRACKS = st.builds(
    Track,
    st.integers(1, 10**9),
    st.sampled_from(["person", "car", "forklift", "गाड़ी", ""]),
    ANY,
    st.tuples(ANY, ANY, ANY, ANY),
    st.booleans(),
    st.just(0.0),
    st.just(0.0),
    st.sampled_from([0.0, 0.2]),
)
POINTS = st.lists(st.tuples(ANY, ANY), max_size=5)
MODELS = st.builds(
    OverlayModel,
    camera=TEXTS,
    local_time=TEXTS,
    tracks=st.lists(TRACKS, max_size=4),
    names=st.just({}) | st.dictionaries(st.integers(1, 5), TEXTS),
    zones=st.lists(st.builds(ZoneMark, TEXTS, POINTS), max_size=2),
    lines=st.lists(st.builds(LineMark, TEXTS, POINTS, st.none() | st.integers(), st.none()), max_size=2),
    people=st.none() | st.integers(0, 10**6),
    vehicles=st.none() | st.integers(0, 10**6),
    source_fps=st.none() | ANY,
    shown_fps=st.none() | ANY,
    state=st.sampled_from(["live", "stale", "offline", "disabled", "something else"]),
    age_s=st.none() | ANY,
)
SIZES = st.tuples(st.integers(1, 90), st.integers(1, 90)) | st.tuples(st.integers(200, 420), st.integers(100, 260))
BORDER = 40


@settings(deadline=None)
@given(MODELS, SIZES)
def test_nothing_is_ever_drawn_outside_the_picture(model: OverlayModel, size: tuple[int, int]) -> None:
    width, height = size
    around = blank(width + 2 * BORDER, height + 2 * BORDER)
    draw_overlay(around[BORDER:-BORDER, BORDER:-BORDER], model)
    around[BORDER:-BORDER, BORDER:-BORDER] = 128
    assert (around == 128).all()


@settings(deadline=None)
@given(MODELS, SIZES)
def test_the_same_is_drawn_every_time(model: OverlayModel, size: tuple[int, int]) -> None:
    assert np.array_equal(drawn(model, *size), drawn(model, *size))


@settings(deadline=None)
@given(SIZES, ANY, TEXTS)
def test_any_old_picture_is_dimmed_into_a_copy(size: tuple[int, int], age_s: float, note: str) -> None:
    image = blank(*size, shade=200)
    stale = draw_stale(image, age_s, note)
    assert (image == 200).all()
    assert stale.shape == image.shape
    assert placeholder(*size, note, note).shape == image.shape


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("label", "colour"),
    [("person", overlay.GREEN), ("truck", overlay.BLUE), ("forklift", overlay.GREY)],
    ids=["people green", "vehicles blue", "others grey"],
)
def test_each_group_has_its_colour(label: str, colour: tuple[int, int, int], width: int) -> None:
    height = width * 9 // 16
    image = drawn(
        OverlayModel(tracks=[track((width * 0.4, height * 0.4, width * 0.6, height * 0.9), label)]), width, height
    )
    frame = image[round(height * 0.9), round(width * 0.4) : round(width * 0.6)]
    assert (frame == colour).all(axis=1).any()
    others = {overlay.GREEN, overlay.BLUE, overlay.GREY} - {colour}
    assert not any(holds(image, other) for other in others)


def test_groups_differ_without_colour_too() -> None:
    shapes = [
        cv2.cvtColor(drawn(OverlayModel(tracks=[track((200, 100, 400, 300), label, **state)])), cv2.COLOR_BGR2GRAY)
        for label, state in (("person", {}), ("car", {}), ("forklift", {}), ("person", {"missed_s": 0.2}))
    ]
    edges = [shape[130:] != 128 for shape in shapes]
    lengths = [int(edge.sum()) for edge in edges]
    assert lengths[1] > 1.15 * lengths[0]
    assert lengths[2] < 0.8 * lengths[0]
    assert lengths[3] < 0.7 * lengths[0]


def test_the_frame_is_where_the_object_is() -> None:
    image = drawn(OverlayModel(tracks=[track((200, 100, 400, 300))]))
    for x, y in ((200, 200), (400, 200), (300, 300)):
        assert tuple(image[y, x]) == overlay.GREEN
    assert tuple(image[200, 300]) == (128, 128, 128)


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param(track((200, 100, 400, 300), is_confirmed=False), id="not confirmed yet"),
        pytest.param(track((math.nan, 100, 400, 300)), id="no number"),
        pytest.param(track((math.inf, 100, math.inf, 300)), id="endless"),
        pytest.param(track((400, 100, 200, 300)), id="inside out"),
        pytest.param(track((700, 100, 900, 300)), id="beside the picture"),
    ],
)
def test_what_is_not_there_is_not_drawn(hidden: Track) -> None:
    assert (drawn(OverlayModel(tracks=[hidden])) == 128).all()


@pytest.mark.parametrize(
    ("shown", "name", "label"),
    [
        pytest.param(track((0, 0, 9, 9)), None, "person 87% #7", id="class"),
        pytest.param(track((0, 0, 9, 9)), "Asha Sharma", "Asha Sharma, person 87% #7", id="name"),
        pytest.param(track((0, 0, 9, 9)), "आशा शर्मा", "asha sharma, person 87% #7", id="name in Hindi"),
        pytest.param(track((0, 0, 9, 9)), "张伟", "person 87% #7", id="name that cannot be written"),
        pytest.param(track((0, 0, 9, 9), missed_s=0.2), None, "person #7", id="not seen just now"),
        pytest.param(track((0, 0, 9, 9), missed_s=0.2), "Asha Sharma", "Asha Sharma #7", id="name, not seen just now"),
    ],
)
def test_the_label_says_who_how_sure_and_which(shown: Track, name: str | None, label: str) -> None:
    assert label_of(shown, name) == label


@pytest.mark.parametrize("width", WIDTHS)
def test_labels_of_neighbours_do_not_cover_each_other(width: int) -> None:
    height, taken = width * 9 // 16, []
    style, image = Style.for_width(width), blank(width, height)
    for left in (0.30, 0.33):
        corners = tuple(round(share * width) for share in (left, 0.3, left + 0.05, 0.5))
        taken.append(overlay._place_for("person 87% #7", corners, taken, image, style))
    assert not overlay._touch(*taken)


def test_a_label_keeps_out_of_the_panel() -> None:
    style, rows = Style.for_width(640), [[("North gate 14:03:22", overlay.WHITE)]]
    panel = overlay.panel_place(rows, style)
    corners = (panel[0], panel[3] + 2, panel[2], 200)
    assert overlay._touch(overlay._place_for("person 87% #7", corners, [], blank(), style), panel)
    assert not overlay._touch(overlay._place_for("person 87% #7", corners, [panel], blank(), style), panel)


def test_a_label_at_the_upper_edge_stays_in_the_picture() -> None:
    image = drawn(OverlayModel(tracks=[track((500, -20, 639, 200))]))
    assert holds(image[:40, 400:], overlay.GREEN)


FULL = OverlayModel(
    camera="North gate",
    local_time="14:03:22",
    people=1,
    vehicles=2,
    source_fps=25.04,
    shown_fps=9.96,
    state="stale",
    age_s=12.9,
)


def words(model: OverlayModel) -> list[str]:
    return [text for group in panel_pieces(model) for text, _ in group]


def test_the_panel_says_all_there_is_to_say() -> None:
    assert words(FULL) == [
        "STALE 12 s",
        "North gate",
        "14:03:22",
        "1 person",
        "2 vehicles",
        "source 25.0 fps",
        "shown 10.0 fps",
    ]


def test_a_live_picture_has_no_age_and_figures_not_known_are_left_out() -> None:
    assert words(OverlayModel(camera="North gate", people=0, age_s=0.1)) == ["North gate", "0 people"]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_panel_fits_every_width_and_takes_little_of_it(width: int) -> None:
    height = width * 9 // 16
    changed = (drawn(replace(FULL, camera="A camera with a very long name " * 4), width, height) != 128).any(axis=2)
    assert changed.any()
    assert changed.mean() < 0.2
    assert not changed[:, -1].any()


@pytest.mark.parametrize("colour", [overlay.WHITE, overlay.SOFT, overlay.GREEN, overlay.BLUE, overlay.AMBER])
def test_panel_letters_stand_out_on_the_brightest_picture(colour: tuple[int, int, int]) -> None:
    ground = blank(20, 20, shade=255)
    overlay.shade(ground, 0, 0, 20, 20)
    assert contrast(colour, tuple(ground[0, 0])) >= 4.5


@pytest.mark.parametrize("colour", overlay.COLOURS.values(), ids=overlay.COLOURS)
def test_label_letters_stand_out_on_their_ground(colour: tuple[int, int, int]) -> None:
    assert contrast(overlay.INK, colour) >= 4.5


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Contrast ratio of two BGR colours as in WCAG 2."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: tuple[int, int, int]) -> float:
    shares = [float(part) / 255 for part in colour]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.0722 * linear[0] + 0.7152 * linear[1] + 0.2126 * linear[2]


@pytest.mark.parametrize(
    ("people", "longest_s", "text"),
    [
        pytest.param(None, None, "Bay", id="nobody watches"),
        pytest.param(0, None, "Bay  0 inside", id="nobody is there"),
        pytest.param(2, 75.4, "Bay  2 inside  75 s", id="two, one for a while"),
    ],
)
def test_a_zone_says_who_is_in_it(people: int | None, longest_s: float | None, text: str) -> None:
    assert overlay.zone_text(ZoneMark("Bay", (), people, longest_s)) == text


def test_zones_and_lines_lie_where_their_shares_say() -> None:
    square = ZoneMark("Bay", [(0.5, 0.5), (0.9, 0.5), (0.9, 0.9), (0.5, 0.9)])
    image = drawn(OverlayModel(zones=[square], lines=[LineMark("Door", [(0.1, 0.9), (0.4, 0.9)], 12, 9)]))
    assert tuple(image[180, 400]) != (128, 128, 128)
    assert tuple(image[190, 330]) != (128, 128, 128)
    assert tuple(image[323, 64]) == overlay.AMBER
    assert (image[100, :300] == 128).all()


def test_an_old_picture_is_dark_and_says_so() -> None:
    stale = draw_stale(blank(shade=200), 12.3, "last 14:03:22 · try 3")
    assert stale[10, 10, 0] < 100
    assert (stale[150:210].max(axis=(0, 2)) > 200).sum() > 40


@pytest.mark.parametrize(
    ("age_s", "text"),
    [
        (0, "0 s"),
        (12.9, "12 s"),
        (99, "99 s"),
        (100, "1 min"),
        (5999, "99 min"),
        (7500, "2 h 05 min"),
        (-3, "0 s"),
        (math.nan, "?"),
    ],
)
def test_ages_are_said_as_people_say_them(age_s: float, text: str) -> None:
    assert age_text(age_s) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Gate – North · 2", "Gate - North | 2"),
        ("Größe Çelik", "Grosse Celik"),
        ("मुख्य द्वार", "mukhya dvar"),
        ("गेट १", "get 1"),
        ("முத்து", "muttu"),
        ("గేట్", "get"),
        ("line\nbreak\x07", "line break"),
        ("正门", ""),
    ],
)
def test_other_scripts_are_spelt_with_latin_letters(text: str, written: str) -> None:
    assert drawable(text) == written


@given(TEXTS)
def test_whatever_is_written_is_printable_ascii(text: str) -> None:
    assert drawable(text).isascii()
    assert drawable(text).isprintable()


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40), st.integers(0, 200))
def test_a_text_that_is_too_wide_is_cut_to_fit(text: str, width: int) -> None:
    cut = fit(text, width, 8)
    assert not cut or width_of(cut, 8) <= width
    assert cut == text or cut == "" or cut.endswith("..")


def test_letters_cover_what_is_beneath_them() -> None:
    image = blank(200, 40)
    write(image, "Gate", (10, 30), 14, (255, 255, 255))
    assert image.max() == 255
    assert (image[:, :9] == 128).all()
    assert width_of("Gate", 14) > 30


SHARES = st.floats(0, 1)
POLYGONS = st.lists(st.lists(st.tuples(SHARES, SHARES), min_size=3, max_size=6), max_size=3)


@given(POLYGONS, st.integers(1, 120), st.integers(1, 120))
def test_every_pixel_a_mask_encloses_is_black(polygons: list, width: int, height: int) -> None:
    image = blank(width, height, shade=255)
    PrivacyMasks(polygons).apply(image)
    for polygon in polygons:
        corners = (np.array(polygon) * (width, height)).astype(np.float32)
        for y, x in zip(*np.nonzero(image.any(axis=2)), strict=True):
            assert cv2.pointPolygonTest(corners.reshape(-1, 1, 2), (float(x) + 0.5, float(y) + 0.5), False) <= 0


def test_a_mask_covers_little_more_than_it_encloses() -> None:
    image = blank(200, 100, shade=255)
    PrivacyMasks([[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]]).apply(image)
    assert not image[25:75, 50:150].any()
    assert (image[:22] == 255).all()
    assert (image[:, 154:] == 255).all()


@pytest.mark.parametrize(
    "polygons",
    [
        pytest.param([[(0, 0), (1, 0), (1, 1), (0, 1)]] * 2, id="the same mask twice"),
        pytest.param([[(0.5, 0), (0.8, 1), (0, 0.4), (1, 0.4), (0.2, 1)]], id="a star that crosses itself"),
    ],
)
def test_masks_over_each_other_do_not_cancel(polygons: list) -> None:
    image = blank(shade=255)
    PrivacyMasks(polygons).apply(image)
    assert not image[190, 320].any()


def test_masks_follow_the_size_of_the_picture() -> None:
    masks = PrivacyMasks([[(0, 0), (0.5, 0), (0.5, 1), (0, 1)]])
    for width, height in ((640, 360), (320, 180), (640, 360)):
        image = blank(width, height, shade=255)
        masks.apply(image)
        assert not image[:, : width // 2].any()
        assert (image[:, width // 2 + 4 :] == 255).all()


@pytest.mark.parametrize(
    "polygon",
    [[], [(0, 0), (1, 1)], [(0, 0), (1, 1), (math.nan, 0)], [(0, 0, 0)] * 3, "secret", [[0, 1], [2]], None],
    ids=["none", "two points", "no number", "three coordinates", "text", "ragged", "null"],
)
def test_a_mask_that_cannot_be_drawn_is_refused_rather_than_left_out(polygon: object) -> None:
    with pytest.raises(MaskError):
        PrivacyMasks([polygon])
