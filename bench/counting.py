"""Counting feet over a line in simulated crowds, beside what others count from the very same detections.

``python -m bench.counting [--minutes 6] [--seeds 3]``. Peers are supervision's LineZone on trackers' ByteTrack; they
are measured when they are installed (``pip install supervision==0.31.2 trackers==2.6.1`` into an environment of their
own: neither is part of the product), and left out otherwise.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec

import numpy as np

from occupancy.rules.crossings import Line, LineCounter
from occupancy.tests.crowd import FPS, LINE_Y, Crowd, simulate
from streaming.frames import Detection
from streaming.tracking import Tracker

WIDTH = 1280
CROWDS = {"12 a minute, 8 % missed": (12, 0.08, 4.0), "60, 20 % missed": (60, 0.20, 4.0), "60, 35 %": (60, 0.35, 8.0)}
Ways = tuple[int, int]
"""Entries and exits."""


def ours(crowd: Crowd) -> Ways:
    """Count with the product's tracker and counter."""
    tracker, counter = Tracker(), LineCounter([Line("door", (0, LINE_Y), (WIDTH, LINE_Y))])
    entries = exits = 0
    for number, frame in enumerate(crowd.frames):
        at = 1000 + number / FPS
        tracks = tracker.update([Detection("person", 0.75, seen.box) for seen in frame], at)
        for crossing in counter.update(tracks, at):
            entries, exits = entries + crossing.is_in, exits + (not crossing.is_in)
    return entries, exits


def line_zone(threshold: int, *, by_feet: bool) -> Callable[[Crowd], Ways]:
    """Return a counter of supervision's LineZone on ByteTrack; ``threshold`` is its minimum_crossing_threshold."""

    def count(crowd: Crowd) -> Ways:
        import supervision as sv
        from trackers import ByteTrackTracker

        tracker = ByteTrackTracker(frame_rate=FPS, lost_track_buffer=90, minimum_consecutive_frames=2)
        anchors = {"triggering_anchors": [sv.Position.BOTTOM_CENTER]} if by_feet else {}
        zone = sv.LineZone(
            start=sv.Point(WIDTH, LINE_Y), end=sv.Point(0, LINE_Y), minimum_crossing_threshold=threshold, **anchors
        )
        for frame in crowd.frames:
            boxes = np.array([seen.box for seen in frame], float).reshape(-1, 4)
            found = sv.Detections(xyxy=boxes, confidence=np.full(len(boxes), 0.75), class_id=np.zeros(len(boxes), int))
            tracked = tracker.update(found)
            zone.trigger(tracked[tracked.tracker_id >= 0])
        # Which way is in depends on the release: the better of the two readings is taken.
        ways = (zone.in_count, zone.out_count)
        return min(ways, ways[::-1], key=lambda pair: error(pair, crowd))

    return count


def error(ways: Ways, crowd: Crowd) -> int:
    return abs(ways[0] - crowd.went_in) + abs(ways[1] - crowd.went_out)


def compare(crowds: Sequence[Crowd], counters: dict[str, Callable[[Crowd], Ways]]) -> None:
    went_in, went_out = sum(crowd.went_in for crowd in crowds), sum(crowd.went_out for crowd in crowds)
    print(f"  truth: {went_in} in, {went_out} out")
    for name, count in counters.items():
        ways = [count(crowd) for crowd in crowds]
        entries, exits = sum(way[0] for way in ways), sum(way[1] for way in ways)
        wrong = 100 * sum(error(way, crowd) for way, crowd in zip(ways, crowds, strict=True)) / (went_in + went_out)
        shares = f"{100 * (entries / went_in - 1):+.1f} % in, {100 * (exits / went_out - 1):+.1f} % out"
        print(f"  {name:<34} {entries} in, {exits} out ({shares}); error {wrong:.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    wish = parser.parse_args()
    warnings.filterwarnings("ignore")
    counters = {"this product": ours}
    if find_spec("supervision") and find_spec("trackers"):
        counters["LineZone as it comes"] = line_zone(1, by_feet=False)
        counters["LineZone, feet, threshold 1"] = line_zone(1, by_feet=True)
        counters["LineZone, feet, threshold 3"] = line_zone(3, by_feet=True)
    else:
        print("supervision and trackers are not installed: no peers")
    for name, (rate, misses, jitter) in CROWDS.items():
        print(name)
        seeds = range(10, 10 + wish.seeds)
        compare(
            [simulate(seed, minutes=wish.minutes, per_minute=rate, misses=misses, jitter=jitter) for seed in seeds],
            counters,
        )


if __name__ == "__main__":
    main()
