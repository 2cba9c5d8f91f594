"""Records reads and sends their alarms in a process that is killed at a chosen step: see `crash_rig`.

Each line on standard input is a piece of work as JSON; a child is forked for it, and kills itself with SIGKILL before
or after the statement to the database, or the message to the receiver, that the work names. A line says how it ended.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django


class Steps:
    """Counts the steps of the work, and dies at one of them: before or after a statement or a message."""

    def __init__(self, dies_at: int | None) -> None:
        self.dies_at, self.count = dies_at, 0

    def step(self) -> None:
        if self.count == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1

    def statement(self, execute: Callable[..., Any], *args: Any) -> Any:
        self.step()
        result = execute(*args)
        self.step()
        return result

    def sender(self, send: Callable[[Any], None]) -> Callable[[Any], None]:
        def sending(delivery: Any) -> None:
            self.step()
            send(delivery)
            self.step()

        return sending

    @contextmanager
    def counting(self) -> Iterator[None]:
        from django.db import connection

        with connection.execute_wrapper(self.statement):
            yield


def work(wish: dict[str, Any]) -> int:
    """Record every read of the wish, then send what waits; return how many steps that took."""
    from factoryai.alerts.channels import SENDERS
    from factoryai.alerts.delivery import deliver_due
    from streaming.models import Camera
    from vehicles.services.incoming import NewRead
    from vehicles.services.reads import record_reads

    at = dt.datetime.fromisoformat(wish["at"])
    steps = Steps(wish["dies_at"])
    camera = Camera.objects.select_related("site").get(slug=wish["camera"])
    with steps.counting():
        for number, (plate, event) in enumerate(wish["reads"]):
            captured_at = dt.datetime.fromisoformat(wish["captured_at"]) + dt.timedelta(seconds=number)
            row = NewRead(event, camera, event, plate, 0.97, captured_at, "in")
            record_reads(rows=[row], source="device", at=at)
        if wish["delivers"]:
            deliver_due(clock=lambda: at, senders={kind: steps.sender(send) for kind, send in SENDERS.items()})
    return steps.count


def main() -> None:
    django.setup()
    logging.disable(logging.WARNING)  # a bench has no Redis, and each child would say so
    say("ready")
    for line in sys.stdin:
        pid = os.fork()
        if pid:
            _, status = os.waitpid(pid, 0)
            say("killed" if os.WIFSIGNALED(status) else "over")
            continue
        try:
            say(f"took {work(json.loads(line))}")
        finally:
            os._exit(0)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
