"""Children are started again with a growing pause, end when told, and never outlive the one that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from factoryai.embedded.children import (
    GOOD_AFTER_S,
    LOG_LIMIT_BYTES,
    LOGS_KEPT,
    STACKS_WITHIN_S,
    Child,
    Family,
    backoff_s,
    rotate,
)
from factoryai.embedded.liveness import SILENCES_ALLOWED

SLEEP = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
SAYS_WHEN = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: (print(time.monotonic(), flush=True), exit()))
print("up", flush=True)
time.sleep(600)
"""
PARENT_OF_ONE = (
    f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); print('two', flush=True); {SLEEP}"
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        """Let real time pass a little and the clock a lot more."""
        time.sleep(0.01)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def family(clock: Clock, said: list[str]) -> Iterator[Family]:
    family = Family(said.append, clock)
    yield family
    family.kill()


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Child]:
    def make(code: str, name: str = "child", **fields: object) -> Child:
        return Child(name, [sys.executable, "-c", code], tmp_path / f"{name}.log", dict(os.environ), **fields)

    return make


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def text_of(child: Child) -> str:
    return child.log.read_text() if child.log.exists() else ""


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("failures", "pause"),
    [
        pytest.param(1, 1, id="first"),
        pytest.param(2, 2, id="second"),
        pytest.param(5, 16, id="fifth"),
        pytest.param(6, 30, id="at the limit"),
        pytest.param(99, 30, id="never longer"),
    ],
)
def test_the_pause_before_a_restart_doubles_up_to_thirty_seconds(failures, pause):
    assert backoff_s(failures) == pause


def test_a_child_that_ends_is_started_again_after_its_pause(family, make, clock, said):
    child = family.add(make("raise SystemExit('no camera')"))
    wait_until(lambda: not child.is_running)
    family.look_after()
    assert "child ended (exit code 1), starting it again in 1 s" in said[0]
    assert said[0].endswith("no camera")
    family.look_after()
    assert not child.is_running
    clock.now += 1
    family.look_after()
    assert child.process is not None


def test_a_child_runs_without_a_log_where_none_can_be_written(family, make, tmp_path):
    child = make("import time; time.sleep(60)")
    (tmp_path / "plain").write_text("a file, not a folder")
    child.log = tmp_path / "plain" / "child.log"
    family.add(child)
    assert child.is_running
    family.rotate_logs()


def test_a_folder_of_logs_that_was_moved_away_is_made_again(family, make, clock, tmp_path):
    child = make("raise SystemExit(1)")
    child.log = tmp_path / "logs" / "child.log"
    family.add(child)
    wait_until(lambda: not child.is_running)
    family.look_after()
    child.log.parent.rename(tmp_path / "moved")
    clock.now += 2
    family.look_after()
    assert child.process is not None
    assert child.log.exists()


def test_a_child_that_cannot_be_started_now_is_tried_again(family, make, clock, said):
    child = family.add(make("raise SystemExit(1)"))
    wait_until(lambda: not child.is_running)
    family.look_after()
    child.command = ["/nowhere/to/be/found"]
    clock.now += 2
    family.look_after()
    assert "cannot be started" in said[-1]
    child.command = [sys.executable, "-c", "import time; time.sleep(60)"]
    clock.now += 31
    family.look_after()
    assert child.is_running


def test_a_child_that_ran_long_is_forgiven_its_failures(family, make, clock):
    child = family.add(make(SLEEP))
    child.failures = 4
    clock.now += GOOD_AFTER_S
    family.look_after()
    assert child.failures == 0


def hang(family: Family, child: Child) -> None:
    for _ in range(SILENCES_ALLOWED):
        family.note_sign(child.name, is_alive=False)
    family.look_after()


def test_a_child_that_hangs_writes_its_stacks_and_is_started_again(family, make, clock, said):
    child = make(f"print('here', flush=True); {SLEEP}")
    child.environment = {**child.environment, "PYTHONFAULTHANDLER": "1"}
    family.add(child)
    wait_until(lambda: "here" in text_of(child))
    family.note_sign("child", is_alive=True)
    hang(family, child)
    assert "child hangs: no sign of life for 90 s" in said[-1]
    wait_until(lambda: not child.is_running)
    family.look_after()
    assert "child ended (by signal SIGABRT), starting it again" in said[-1]
    assert "most recent call first" in text_of(child)
    clock.now += 2
    family.look_after()
    assert child.is_running
    assert not child.silence.is_too_long


def test_a_child_that_stands_still_altogether_is_killed(family, make, clock, said):
    child = family.add(make(SLEEP))
    family.note_sign("child", is_alive=True)
    child.process.send_signal(signal.SIGSTOP)
    hang(family, child)
    assert child.is_running
    clock.now += STACKS_WITHIN_S
    family.look_after()
    wait_until(lambda: not child.is_running)
    family.look_after()
    assert "ended (by signal SIGKILL)" in said[-1]


def test_a_child_that_answers_now_and_then_is_left_alone(family, make, said):
    child = family.add(make(SLEEP))
    for _ in range(5):
        for _ in range(SILENCES_ALLOWED - 1):
            family.note_sign("child", is_alive=False)
        family.note_sign("child", is_alive=True)
        family.look_after()
    assert child.is_running
    assert said == []


def test_a_child_that_starts_slowly_is_given_longer(family, make, said):
    child = family.add(make(SLEEP))
    hang(family, child)
    assert (child.is_running, said) == (True, [])


def test_an_up_that_stood_still_itself_ends_nobody(family, make, clock):
    child = family.add(make(SLEEP))
    family.note_sign("child", is_alive=True)
    clock.now += 3600
    family.look_after()
    assert child.is_running


def test_what_a_dead_child_had_started_is_ended_before_its_restart(family, make):
    child = family.add(make(PARENT_OF_ONE))
    wait_until(lambda: "two" in text_of(child))
    (grandchild,) = psutil.Process(child.process.pid).children()
    child.process.kill()
    wait_until(lambda: not child.is_running)
    family.look_after()
    wait_until(lambda: is_gone(grandchild.pid))


def test_stopping_ends_a_child_that_listens_and_one_that_does_not(family, make, clock):
    polite, deaf = family.add(make(SLEEP, "polite")), family.add(make(STUBBORN, "deaf"))
    wait_until(lambda: "deaf" in text_of(deaf))
    family.stop(clock.pause)
    assert polite.process.returncode == -signal.SIGTERM
    assert deaf.process.returncode == -signal.SIGKILL


def test_the_broker_ends_after_those_that_use_it(family, make, clock):
    broker, user = family.add(make(SAYS_WHEN, "broker", is_ground=True)), family.add(make(SAYS_WHEN, "user"))
    wait_until(lambda: "up" in text_of(broker) and "up" in text_of(user))
    family.stop(clock.pause)
    assert float(text_of(user).split()[1]) < float(text_of(broker).split()[1])


def test_no_child_outlives_a_parent_that_is_killed(tmp_path):
    code = (
        "import os, sys, time; from pathlib import Path; from factoryai.embedded.children import Child;"
        f"log = Path({str(tmp_path / 'x.log')!r}); command = [sys.executable, '-c', {STUBBORN!r}];"
        "child = Child('x', command, log, dict(os.environ));"
        "child.start(0.0); print(child.process.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    wait_until(lambda: "deaf" in (tmp_path / "x.log").read_text())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: is_gone(pid))


def test_a_full_log_starts_over_while_its_writer_goes_on(family, make):
    child = family.add(make("import time\nwhile True: print('x' * 99, flush=True); time.sleep(0.01)"))
    wait_until(lambda: "x" in text_of(child))
    os.truncate(child.log, LOG_LIMIT_BYTES + 1)
    family.rotate_logs()
    wait_until(lambda: 0 < child.log.stat().st_size < LOG_LIMIT_BYTES)
    assert child.log.with_name("child.log.1").stat().st_size > LOG_LIMIT_BYTES


def test_only_the_last_logs_are_kept(tmp_path):
    log = tmp_path / "web.log"
    for number in range(LOGS_KEPT + 3):
        log.write_text(f"part {number}")
        rotate(log)
    kept = {path.name: path.read_text() for path in tmp_path.iterdir() if path.name != "web.log"}
    assert kept == {"web.log.1": "part 5", "web.log.2": "part 4", "web.log.3": "part 3"}
