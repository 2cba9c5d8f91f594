"""Simulated people at a gate: walkers, U-turns, loiterers, missed detections and jitter, with the true crossings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FPS = 10
LINE_Y = 400.0
HEIGHT = 160.0
BOUNDS_X = (60.0, 1220.0)
BOUNDS_Y = (170.0, 715.0)


@dataclass(frozen=True)
class Seen:
    """One detection that a tracker would have to follow."""

    box: tuple[float, float, float, float]
    person: int


@dataclass(frozen=True)
class Crowd:
    frames: list[list[Seen]]
    went_in: int
    went_out: int


def simulate(seed: int, *, minutes: float, per_minute: float, misses: float, jitter: float = 4.0) -> Crowd:
    """Let people walk over the line at y = 400 in a 1280 × 720 picture at 10 fps; in is downwards.

    A tenth of them turns round in front of the line and a twentieth stands on it for some seconds.
    """
    rng = np.random.default_rng(seed)
    length = int(minutes * 60 * FPS)
    frames: list[list[Seen]] = [[] for _ in range(length)]
    went_in = went_out = 0
    for person in range(rng.poisson(per_minute * minutes)):
        path = _walk(rng)
        start = int(rng.uniform(0, length - 15 * FPS))
        hidden = 0
        for step, (x, y) in enumerate(path[: length - start]):
            hidden = hidden - 1 if hidden > 0 else int(rng.random() < 0.016) * int(rng.uniform(2, 9))
            if hidden == 0 and rng.random() > misses:
                noise = rng.normal(0, jitter, 4)
                box = (x - 30 + noise[0], y - HEIGHT + noise[1], x + 30 + noise[2], y + noise[3])
                frames[start + step].append(Seen(box, person))
        if start + len(path) < length and (path[0][1] < LINE_Y) != (path[-1][1] < LINE_Y):
            went_in += path[0][1] < LINE_Y
            went_out += path[0][1] > LINE_Y
    return Crowd(frames, went_in, went_out)


def _walk(rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return the foot points of one person, a frame each."""
    heading = 1 if rng.random() < 0.5 else -1
    speed = rng.uniform(70, 140) / FPS * heading
    drift = rng.uniform(-15, 15) / FPS
    x, y = rng.uniform(150, 1130), BOUNDS_Y[0] + 20 if heading > 0 else BOUNDS_Y[1] - 25
    kind = rng.random()
    turns_at = LINE_Y - heading * rng.uniform(25, 45) if kind < 0.10 else None
    stands_s = rng.uniform(2, 5) if 0.10 <= kind < 0.15 else 0.0
    path = []
    while BOUNDS_Y[0] <= y <= BOUNDS_Y[1] and BOUNDS_X[0] < x < BOUNDS_X[1]:
        path.append((x, y))
        y, x = y + speed, x + drift
        if turns_at is not None and abs(y - turns_at) < abs(speed):
            speed, turns_at = -speed, None
        if stands_s and abs(y - LINE_Y) <= abs(speed):
            path.extend((x, LINE_Y + rng.normal(0, 6)) for _ in range(int(stands_s * FPS)))
            stands_s = 0.0
    return path
