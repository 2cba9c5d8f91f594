"""Signs of life: files that loops touch, what excuses silence, and a worker whose threads are all stuck."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from factoryai import pulse
from factoryai.embedded.liveness import SILENCES_ALLOWED, SILENCES_AT_START, Listener, PulseSign, Silence, unless_away
from factoryai.jobs.pulse import is_stuck


@pytest.fixture
def file(tmp_path: Path, settings) -> Path:
    settings.PULSE = str(tmp_path / "worker")
    return tmp_path / "worker"


def test_a_beat_is_seen_once(file):
    sign = PulseSign(file)
    assert not sign()
    pulse.beat()
    assert [sign(), sign()] == [True, False]
    os.utime(file, (1, 1))
    assert sign()  # whatever the clock says


def test_a_beat_of_an_earlier_process_is_no_sign(file):
    pulse.beat()
    assert not PulseSign(file)()


def test_without_a_file_to_touch_nothing_is_written(tmp_path, settings):
    settings.PULSE = ""
    pulse.beat()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_stops_no_process(file, settings):
    settings.PULSE = str(file / "gone" / "worker")
    pulse.beat()


@pytest.mark.parametrize(
    ("beats", "is_broker_there", "is_alive"),
    [
        pytest.param(True, True, True, id="beats"),
        pytest.param(False, True, False, id="silent"),
        pytest.param(False, False, True, id="silent while the broker is away"),
    ],
)
def test_silence_is_excused_while_the_broker_is_away(beats, is_broker_there, is_alive):
    assert unless_away(lambda: beats, lambda: is_broker_there)() is is_alive


def test_silence_is_too_long_sooner_for_one_that_has_answered():
    fresh, known = Silence(), Silence()
    known.note(True)
    for _ in range(SILENCES_ALLOWED):
        fresh.note(False)
        known.note(False)
    assert (fresh.is_too_long, known.is_too_long) == (False, True)
    for _ in range(SILENCES_AT_START - SILENCES_ALLOWED):
        fresh.note(False)
    assert fresh.is_too_long


def test_everybody_is_asked(file):
    answers: dict[str, bool] = {}
    Listener(lambda: {"web": lambda: True, "beat": lambda: False}, answers.__setitem__).ask()
    assert answers == {"web": True, "beat": False}


@pytest.mark.parametrize(
    ("started", "stuck"),
    [
        pytest.param([], False, id="idle"),
        pytest.param([0, 999], False, id="one of two"),
        pytest.param([0, 0], True, id="both"),
        pytest.param([100, 100], False, id="long, but not longer than any may"),
    ],
)
def test_a_worker_is_stuck_when_all_its_threads_are(started, stuck):
    assert is_stuck(started, slots=2, at=1900.0, limit_s=1800.0) is stuck
