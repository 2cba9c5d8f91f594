"""`manage.py run_cameras`: the camera process. Any number of them share the cameras by lease."""

from __future__ import annotations

import logging
import signal
from argparse import ArgumentParser
from typing import Any

import cv2
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.db.models import Q

from factoryai import pipeline
from streaming.detectors.base import DetectorError, load_detector
from streaming.fleet import Fleet
from streaming.publisher import FramePublisher
from streaming.recorder import Recorder, claim_spool
from streaming.tenure import Tenures, UnsettledError

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Read, detect, track and show the cameras that no other camera process holds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", help="only the cameras of this site (slug)")
        parser.add_argument("--camera", action="append", help="only this camera (slug); may be given again")
        parser.add_argument("--limit", type=int, help="take at most so many cameras")

    def handle(self, *args: Any, site: str | None, camera: list[str] | None, limit: int | None, **options: Any) -> None:
        try:
            detector = load_detector()
        except DetectorError as error:
            raise CommandError(str(error)) from error

        # Every camera has threads of its own; OpenCV's pool below them would only fight for the same cores.
        cv2.setNumThreads(1)
        among = (Q(site__slug=site) if site else Q()) & (Q(slug__in=camera) if camera else Q())
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        # Not every DatabaseError: a fact that breaks a constraint must not hold up those behind it.
        absent = (OperationalError, InterfaceError, UnsettledError)
        tenures = Tenures()
        spool, lock = claim_spool(settings.DATA_DIR)
        recorder = Recorder(tenures.guard(pipeline.record), spool, absent)
        fleet = Fleet(
            detector,
            FramePublisher(settings.REDIS_URL),
            analysers_for=pipeline.analysers_for,
            record=recorder.put,
            among=among,
            limit=limit,
            tenures=tenures,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: fleet.stop())
        recorder.start()
        log.info("Camera process %s is looking for cameras.", fleet.worker)
        try:
            fleet.run()
        finally:
            recorder.stop()
            lock.close()
