"""The health checks of the services, for what needs neither containers nor the services themselves."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from factoryai import probe


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACTORYAI_PULSE", str(tmp_path / "pulse"))
    monkeypatch.setattr(probe, "CHECKS", {"beat": lambda: ""})
    return tmp_path / "pulse"


def test_a_service_whose_loop_turns_is_asked_about_its_work(pulse):
    pulse.touch()
    assert probe.complaint_of(["beat"]) == ""


def test_a_service_whose_loop_stands_still_is_not_healthy(pulse):
    pulse.touch()
    os.utime(pulse, (0, time.time() - probe.STILL_AFTER_S - 1))
    assert "stood still for 91 s" in probe.complaint_of(["beat"])


def test_a_service_that_has_not_begun_is_not_healthy(pulse):
    assert "not begun" in probe.complaint_of(["beat"])


def test_without_a_pulse_only_the_work_is_asked_about(pulse, monkeypatch):
    monkeypatch.delenv("FACTORYAI_PULSE")
    assert probe.complaint_of(["beat"]) == ""


@pytest.mark.parametrize("words", [[], ["web"], ["web", "port"], ["gate"], ["worker", "8000"]])
def test_a_wrong_call_is_told_from_a_complaint(words):
    assert probe.complaint_of(words) is None


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        pytest.param(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", "", id="a camera"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "no camera", id="a web server"),
        pytest.param(b"", "no camera", id="somebody who hangs up"),
    ],
)
def test_served_scenes_are_told_from_anything_else_that_listens(listener, answer, complaint):
    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    found = probe.complaint_of(["scenes", str(listener.getsockname()[1])])
    thread.join()
    assert complaint in found
    assert bool(found) is bool(complaint)


def test_a_port_where_nobody_listens_is_no_camera(listener):
    port = listener.getsockname()[1]
    listener.close()
    assert "no camera answers" in probe.complaint_of(["scenes", str(port)])
