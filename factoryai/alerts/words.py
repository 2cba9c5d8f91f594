"""The words that pages use for what happened to an alert."""

from __future__ import annotations

from factoryai.alerts.rules import Severity

STEPS = {
    "raised": "Raised",
    "seen": "Opened",
    "acknowledged": "Acknowledged",
    "closed": "Closed",
    "withdrawn": "What it rested on was withdrawn",
    "certain": "Certain now",
    "joined": "One stay with that of another alert",
    **{f"raised-{severity}": f"Raised again, now {severity}" for severity in Severity},
}


def step_words(step: str) -> str:
    """Return a line of history as people say it: ``escalated-2`` is told to whoever hears of level 2."""
    kind, _, level = step.partition("-")
    if kind == "escalated":
        return f"Escalated to level {level}: nobody had answered"
    return STEPS.get(step, step.replace("_", " ").replace("-", " ").capitalize())


def kind_words(kind: str) -> str:
    """Return a kind of alert as people read it: ``camera_offline`` is *Camera offline*."""
    return kind.replace("_", " ").capitalize()


def occasion_words(occasion: str) -> str:
    """Return why a message went out: ``critical-escalated-1`` is *escalation to level 1*."""
    if "escalated" in occasion:
        return f"escalation to level {occasion.rpartition('-')[2]}"
    return {"raised": "raised", "closed": "closed"}.get(occasion, occasion.replace("-", ", now ", 1))
