"""A camera process without a camera: publishes drawn pictures on the frame bus through the same codec.

Run as a program it publishes until it is ended: ``python -m tests.synthetic_camera --redis URL --camera gate``.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence

import cv2
import numpy as np
from redis import Redis
from redis.exceptions import RedisError

from streaming import bus
from streaming.rules import tier_size

WIDTH, HEIGHT = 1280, 720
LOOP = 20
"""Pictures drawn once and shown in turn, so that publishing costs next to nothing."""


def draw_loop(seed: int = 0) -> list[np.ndarray]:
    """Return `LOOP` pictures with a moving bar on a textured ground; about 115 kB each as JPEG."""
    random = np.random.default_rng(seed)
    ground = cv2.resize(random.integers(40, 200, (180, 320, 3), np.uint8), (WIDTH, HEIGHT))
    ground = cv2.addWeighted(ground, 0.55, cv2.GaussianBlur(ground, (0, 0), 12), 0.45, 0)
    pictures = []
    for number in range(LOOP):
        picture = ground.copy()
        left = number * WIDTH // LOOP
        cv2.rectangle(picture, (left, 200), (left + 90, 520), (60, 200, 60), -1)
        cv2.putText(picture, f"{number:02d}", (40, 90), cv2.FONT_HERSHEY_SIMPLEX, 2.5, (255, 255, 255), 5)
        pictures.append(picture)
    return pictures


def encode(pictures: Sequence[np.ndarray], tier: str) -> list[tuple[bytes, int, int]]:
    """Return each picture as JPEG of one tier, with its width and height."""
    width, height = tier_size(tier, WIDTH, HEIGHT)
    scaled = (cv2.resize(picture, (width, height)) for picture in pictures)
    return [
        (cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes(), width, height) for image in scaled
    ]


class SyntheticCamera:
    """Publishes one camera at ``fps`` in every size that somebody watches, from a thread of its own."""

    def __init__(self, url: str, slug: str, *, fps: float = 10.0, seed: int = 0) -> None:
        self.slug, self.fps = slug, fps
        self._redis = Redis.from_url(url, socket_timeout=2)
        pictures = draw_loop(seed)
        self._jpegs = {tier: encode(pictures, tier) for tier in bus.TIERS}
        self._ending, self.frozen = threading.Event(), threading.Event()
        self._seq = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> SyntheticCamera:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ending.set()
        self._thread.join(5)
        self._redis.close()

    def publish(self, at: float) -> None:
        """Publish one picture captured ``at``, and keep it as the last one each second."""
        self._seq += 1
        for tier, jpegs in self._jpegs.items():
            jpeg, width, height = jpegs[self._seq % LOOP]
            header = bus.Header(self.slug, tier, self._seq, at, time.time(), width=width, height=height)
            message = bus.encode_message(header, jpeg)
            self._redis.publish(bus.channel(self.slug, tier), message)
            if tier == bus.FULL and self._seq % max(1, round(self.fps)) == 1:
                self._redis.set(bus.last_key(self.slug), message)

    def say(self, state: str, note: str = "") -> None:
        """Publish a change of state without a picture."""
        for tier in bus.TIERS:
            header = bus.Header(self.slug, tier, self._seq, time.time(), time.time(), state, note)
            self._redis.publish(bus.channel(self.slug, tier), bus.encode_message(header))

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            due = max(due + 1 / self.fps, time.monotonic() - 1)
            if self.frozen.is_set():
                continue
            try:
                self.publish(time.time())
            except RedisError:
                continue  # the bus is away: a camera goes on


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--redis", required=True)
    parser.add_argument("--camera", action="append", required=True)
    parser.add_argument("--fps", type=float, default=10.0)
    args = parser.parse_args()
    cameras = [SyntheticCamera(args.redis, slug, fps=args.fps, seed=n) for n, slug in enumerate(args.camera)]
    for camera in cameras:
        camera.__enter__()
    threading.Event().wait()


if __name__ == "__main__":
    main()
