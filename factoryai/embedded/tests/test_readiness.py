"""What the console is told of a start that is quick, slow, or lacks a camera."""

from __future__ import annotations

from pathlib import Path

from factoryai.embedded.readiness import Report

LOGS = Path("/srv/factoryai/logs")


def said(*looks: tuple[float, bool, list[str]]) -> list[str]:
    report = Report(LOGS)
    return [words for look in looks if not report.is_over and (words := report.next_words(*look))]


def test_a_quick_start_is_said_once():
    assert said((1, False, ["gate"]), (5, True, ["gate"]), (7, True, []), (8, True, [])) == [
        "Ready after 7 s. Ctrl-C stops everything."
    ]


def test_a_slow_web_is_said_and_so_is_that_it_came():
    slow = said((59, False, []), (61, False, []), (62, False, []), (90, True, []))
    assert slow == [
        "The web does not answer after 61 s, still waiting: see /srv/factoryai/logs/web.log.",
        "Ready after 90 s. Ctrl-C stops everything.",
    ]


def test_a_camera_without_a_picture_keeps_nobody_waiting_and_its_coming_is_said():
    words = said((61, True, ["gate", "yard"]), (62, True, ["yard"]), (300, True, []))
    assert words[0].startswith("Ready, but no picture yet from: gate, yard.")
    assert words[1:] == ["All pictures are there after 300 s."]
