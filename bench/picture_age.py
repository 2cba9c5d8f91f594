"""Age of the picture at the viewer, end to end: a clock drawn into an RTSP stream is read from the MJPEG.

``python -m bench.picture_age [--seconds 20] [--server jpeg|gst] [--fps 15]``

RTSP server, camera process with detection, Valkey, web process and viewer share the machine. Goal: p95 of 120 ms.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from factoryai.embedded.tether import tied_to_parent
from tests.feed_rig import PROJECT, Rig, end
from tests.rtsp import TimecodeError, read_timecode, rtsp_camera
from tests.viewers import Viewer, feed_request, watch

START_LIMIT_S = 40.0
SETTLE_S = 3.0
POINT_AT = """
from streaming.models import Camera
Camera.objects.update(address={address!r}, stream_fps={fps}, detect_fps={detect})
"""


@contextmanager
def camera_process(rig: Rig) -> Iterator[None]:
    log = (rig.folder / "cameras.log").open("wb")
    command = [sys.executable, "manage.py", "run_cameras"]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=rig.environment, stdout=log, stderr=log, preexec_fn=tied_to_parent()
    )
    try:
        yield
    finally:
        end(process)


class Ages:
    """The ages read from pictures, in milliseconds; pictures whose clock cannot be read are counted."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self.unread = 0

    def take(self, jpeg: bytes, at: float) -> None:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        try:
            self.ms.append(1000 * (at - read_timecode(image)))
        except TimecodeError:
            self.unread += 1


def measure(viewer: Viewer, seconds: float) -> Ages:
    deadline = time.monotonic() + START_LIMIT_S
    while "live" not in viewer.states:
        if time.monotonic() > deadline:
            raise SystemExit("no live picture came")
        watch([viewer], 0.2)
    watch([viewer], SETTLE_S)
    ages = Ages()
    viewer.take = ages.take
    watch([viewer], seconds)
    return ages


def report(ages: Ages, seconds: float) -> None:
    found = sorted(ages.ms)
    if not found:
        raise SystemExit(f"no clock could be read from {ages.unread} pictures")
    p50, p95 = (found[min(len(found) - 1, int(len(found) * share))] for share in (0.5, 0.95))
    print(f"{len(found) / seconds:.1f} fps; age p50 {p50:.0f} ms, p95 {p95:.0f} ms, most {found[-1]:.0f} ms")
    print(f"  p95 is {p95 / 120:.2f} of the goal of 120 ms; {ages.unread} pictures without a readable clock")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--server", choices=("jpeg", "gst"), default="jpeg")
    parser.add_argument("--fps", type=float, default=15.0)
    parser.add_argument("--detect-fps", type=float, default=5.0)
    args = parser.parse_args()
    print(
        f"720p at {args.fps:.0f} fps by {args.server}, detection at {args.detect_fps:.0f} fps; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    with (
        rtsp_camera(server=args.server, picture="timecode", fps=args.fps) as camera,
        Rig(["gate"], FACTORYAI_CAMERA_NETWORKS="127.0.0.0/8") as rig,
    ):
        rig.shell(POINT_AT.format(address=camera.address, fps=args.fps, detect=args.detect_fps))
        with camera_process(rig):
            viewer = Viewer(rig.port, feed_request("/api/video_feed?camera=gate", rig.login()))
            report(measure(viewer, args.seconds), args.seconds)
            viewer.close()


if __name__ == "__main__":
    main()
