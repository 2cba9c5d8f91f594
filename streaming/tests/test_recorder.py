"""Facts are written once and in order, wait in a file while the store is away, and survive a crash and poison."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.frames import Observation
from streaming.recorder import Recorder, claim_spool, decode, encode


class AwayError(Exception):
    pass


class Store:
    """Keeps facts by their id, as the database does; can be away, and refuses poison."""

    def __init__(self) -> None:
        self.facts: dict[str, Observation] = {}
        self.is_away = False
        self.tries = 0

    def write(self, observation: Observation) -> None:
        self.tries += 1
        if self.is_away:
            raise AwayError
        if observation.data.get("poison"):
            raise ZeroDivisionError
        self.facts.setdefault(observation.event_id, observation)


def fact(number: int, **data: object) -> Observation:
    return Observation("crossing", "gate", 1000.0 + number, {"number": number, **data}, event_id=f"event-{number}")


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "observations.jsonl"


def start(store: Store, spool: Path, **options: object) -> Recorder:
    recorder = Recorder(store.write, spool, absent=(AwayError,), retry_every_s=0.05, **options)
    recorder.start()
    return recorder


def numbers(store: Store) -> list[int]:
    return [observation.data["number"] for observation in store.facts.values()]


def test_facts_are_written_in_the_order_they_came(store: Store, spool: Path) -> None:
    recorder = start(store, spool)
    for number in range(50):
        recorder.put(fact(number))
    recorder.stop()
    assert numbers(store) == list(range(50))
    assert not spool.exists()


def test_facts_wait_in_a_file_while_the_store_is_away_and_keep_their_order(store: Store, spool: Path) -> None:
    recorder = start(store, spool)
    recorder.put(fact(0))
    wait_for(lambda: len(store.facts) == 1)
    store.is_away = True
    for number in range(1, 20):
        recorder.put(fact(number))
    wait_for(lambda: spool.exists() and spool.read_text().count("\n") == 19)
    store.is_away = False
    wait_for(lambda: len(store.facts) == 20)
    recorder.stop()
    assert numbers(store) == list(range(20))
    assert not spool.exists()


def test_a_long_absence_costs_one_try_now_and_then_and_no_rewriting(store: Store, spool: Path) -> None:
    store.is_away = True
    recorder = start(store, spool)
    for number in range(300):
        recorder.put(fact(number))
    wait_for(lambda: spool.exists() and spool.read_bytes().count(b"\n") == 300)
    assert store.tries < 60
    store.is_away = False
    wait_for(lambda: len(store.facts) == 300 and not spool.exists())
    recorder.stop()
    assert numbers(store) == list(range(300))


def test_what_waited_is_written_by_the_next_process(store: Store, spool: Path) -> None:
    store.is_away = True
    recorder = start(store, spool)
    recorder.put(fact(1))
    recorder.stop()
    store.is_away = False
    again = start(store, spool)
    wait_for(lambda: numbers(store) == [1])
    again.stop()


def test_a_line_torn_by_a_crash_is_passed_over(store: Store, spool: Path) -> None:
    spool.write_text(encode(fact(1)) + "\n" + encode(fact(2))[:30] + "\n" + encode(fact(3)) + "\n")
    recorder = start(store, spool)
    wait_for(lambda: numbers(store) == [1, 3])
    recorder.stop()


def test_a_poisoned_fact_is_put_aside_and_the_rest_goes_on(store: Store, spool: Path) -> None:
    recorder = start(store, spool)
    for observation in (fact(1), fact(2, poison=True), fact(3)):
        recorder.put(observation)
    recorder.stop()
    assert numbers(store) == [1, 3]
    assert "event-2" in spool.with_suffix(".refused").read_text()


def test_a_fact_that_cannot_wait_is_counted_and_the_rest_goes_on(store: Store, spool: Path) -> None:
    store.is_away = True
    recorder = start(store, spool)
    recorder.put(fact(1, face=object()))
    recorder.put(fact(2))
    wait_for(lambda: spool.exists() and spool.read_text().count("\n") == 1)
    store.is_away = False
    wait_for(lambda: numbers(store) == [2])
    recorder.stop()
    assert recorder.dropped == 1


def test_a_picture_and_numbers_of_an_analyser_survive_the_file() -> None:
    face = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    again = decode(encode(fact(1, face=face, similarity=np.float32(0.5)))).data
    assert again["similarity"] == 0.5
    assert again["face"].dtype == np.uint8
    assert np.array_equal(again["face"], face)


def test_two_processes_never_share_a_file_and_the_next_takes_over_a_free_one(tmp_path: Path) -> None:
    first, lock = claim_spool(tmp_path)
    second, other = claim_spool(tmp_path)
    assert first != second
    lock.close()
    third, again = claim_spool(tmp_path)
    assert third == first
    other.close()
    again.close()


def test_a_full_file_drops_and_counts(store: Store, spool: Path) -> None:
    store.is_away = True
    recorder = start(store, spool, limit_bytes=300)
    for number in range(20):
        recorder.put(fact(number))
    recorder.stop()
    assert recorder.dropped + spool.read_text().count("\n") == 20
    assert recorder.dropped > 0


def test_the_same_fact_twice_is_one(store: Store, spool: Path) -> None:
    recorder = start(store, spool)
    recorder.put(fact(1))
    recorder.put(fact(1))
    recorder.stop()
    assert numbers(store) == [1]


PLAIN = st.dictionaries(
    st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text() | st.binary(), max_size=5
)


@given(PLAIN)
def test_any_observation_survives_the_file(data: dict) -> None:
    observation = Observation("kind", "gate", 12.5, data)
    line = encode(observation)
    assert "\n" not in line
    assert decode(line) == observation
