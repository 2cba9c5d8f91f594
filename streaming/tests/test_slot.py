"""The newest picture in shared memory: exact, never torn, never larger than its place."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.slot import PLACES, FrameSlot, make_memory


@pytest.fixture(scope="module")
def ends() -> Iterator[tuple[FrameSlot, FrameSlot]]:
    """The writer's end and the reader's end of one slot."""
    descriptor = make_memory()
    yield FrameSlot(descriptor), FrameSlot(descriptor)
    os.close(descriptor)


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 2**40))
def test_a_picture_arrives_as_it_was_written(
    ends: tuple[FrameSlot, FrameSlot], width: int, height: int, sequence: int
) -> None:
    writer, reader = ends
    image = np.random.default_rng(sequence).integers(0, 256, (height, width, 3), np.uint8)
    writer.write(sequence, 12.5, image)
    picture = reader.read(sequence)
    assert (picture.sequence, picture.captured_at) == (sequence, 12.5)
    assert np.array_equal(picture.image, image)


def test_a_picture_that_was_overwritten_is_gone(ends: tuple[FrameSlot, FrameSlot]) -> None:
    writer, reader = ends
    image = np.zeros((4, 4, 3), np.uint8)
    for sequence in range(1000, 1000 + PLACES + 1):
        writer.write(sequence, 1.0, image)
    assert reader.read(1000) is None
    assert reader.read(1000 + PLACES) is not None


def test_a_picture_that_was_never_written_is_none() -> None:
    descriptor = make_memory()
    assert FrameSlot(descriptor).read(1) is None
    os.close(descriptor)


def test_a_picture_that_is_too_large_is_refused(ends: tuple[FrameSlot, FrameSlot]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        ends[0].write(1, 1.0, np.broadcast_to(np.uint8(0), (4000, 4000, 3)))


def test_the_copy_does_not_change_with_the_slot(ends: tuple[FrameSlot, FrameSlot]) -> None:
    writer, reader = ends
    writer.write(2000, 1.0, np.full((4, 4, 3), 7, np.uint8))
    kept = reader.read(2000)
    writer.write(2000 + PLACES, 1.0, np.full((4, 4, 3), 9, np.uint8))
    assert (kept.image == 7).all()


def test_a_reader_beside_a_fast_writer_never_sees_half_a_picture(ends: tuple[FrameSlot, FrameSlot]) -> None:
    writer, reader = ends
    pictures = [np.full((360, 640, 3), value, np.uint8) for value in range(8)]
    newest, is_over = [3000], threading.Event()

    def write() -> None:
        for sequence in range(3001, 3400):
            writer.write(sequence, float(sequence), pictures[sequence % 8])
            newest[0] = sequence
        is_over.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = 0
    while not is_over.is_set():
        sequence = newest[0]
        picture = reader.read(sequence)
        if picture is not None and sequence > 3000:
            seen += 1
            assert (picture.image == sequence % 8).all()
    thread.join()
    assert seen
