"""Faces: from picture to decision beside the bare models, a large gallery, what Rekognition costs, and the purge.

``python -m bench.identity [--only decision|gallery|cost|purge] [--files 100000] [--passages 1000]``
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

PRICE = 0.001
"""Dollars a request: Rekognition's list price for SearchFacesByImage, first million a month."""


def milliseconds(
    ours: Callable[[], object], bare: Callable[[], object], clock: Callable[[], float], times: int = 60
) -> tuple[float, float]:
    """Return the median time of each of two calls, made in turn, so that whatever else the machine does meets both.

    `time.process_time` counts the processor's time alone: on a busy machine it tells what an idle one would take.
    """
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(5 + times):
        for act, list_ in zip((ours, bare), took, strict=True):
            began = clock()
            act()
            if number >= 5:
                list_.append(clock() - began)
    mine, limit = (statistics.median(list_) * 1000 for list_ in took)
    return mine, limit


def row(name: str, *values: str) -> None:
    print(f"{name:58}" + "".join(f"{value:>14}" for value in values))


def bench_decision() -> None:
    """One core: find, embed and match one face of a person's head, beside the same nets called bare."""
    from identity.recognisers.local import FOUND_AT, OVERLAP, WEIGHTS, Gallery, LocalRecogniser, weights
    from identity.rules import decide_identity
    from identity.tests.photos import driver

    cv2.setNumThreads(1)
    image = driver()
    engine = LocalRecogniser()
    engine.gallery = Gallery((str(n), np.random.default_rng(n).normal(size=128)) for n in range(1000))
    face = engine.find_faces(image)[0]
    yunet, sface = (str(weights(name, digest)) for name, digest in WEIGHTS.items())
    detector = cv2.FaceDetectorYN.create(yunet, "", (image.shape[1], image.shape[0]), FOUND_AT, OVERLAP, 500)
    aligner, net = cv2.FaceRecognizerSF.create(sface, ""), cv2.dnn.readNetFromONNX(sface)
    found = detector.detect(image)[1][0]

    def bare_embed() -> np.ndarray:
        net.setInput(cv2.dnn.blobFromImage(aligner.alignCrop(image, found), 1, (112, 112), (0, 0, 0), True), "data")
        return net.forward()

    matrix, vector = engine.gallery.matrix, engine.embed(image, face)
    pairs = {
        "detect": (lambda: engine.find_faces(image), lambda: detector.detect(image)),
        "align and embed": (lambda: engine.embed(image, face), bare_embed),
        "match 1,000 faces": (lambda: engine.gallery.nearest(vector), lambda: (matrix @ vector).argmax()),
        "face to decision": (
            lambda: decide_identity(engine.search(image, engine.find_faces(image)[0]), engine.thresholds),
            lambda: (detector.detect(image), bare_embed(), (matrix @ vector).argmax()),
        ),
    }
    height, width = image.shape[:2]
    row(f"one core, a face of {face.quality.width:.0f} px in {width} x {height}", "product ms", "bare ms", "overhead")
    for name, (ours, bare) in pairs.items():
        mine, limit = milliseconds(ours, bare, time.process_time)
        row(name, f"{mine:.2f}", f"{limit:.2f}", f"{mine / limit - 1:+.0%}")


def bench_gallery(size: int = 100_000) -> None:
    from identity.recognisers.local import Gallery

    vectors = np.random.default_rng(1).normal(size=(size, 128)).astype(np.float32)
    gallery = Gallery((str(n // 3), vector) for n, vector in enumerate(vectors))
    wanted = gallery.matrix[size // 2].copy()
    bare = gallery.matrix.copy()
    mine, limit = milliseconds(lambda: gallery.nearest(wanted), lambda: bare @ wanted, time.perf_counter)
    row(f"gallery of {size:,} faces", "product", "bare numpy", "overhead")
    row("match, ms", f"{mine:.2f}", f"{limit:.2f}", f"{mine / limit - 1:+.0%}")
    names = sum(sys.getsizeof(name) for name in set(gallery.people)) + sys.getsizeof(gallery.people)
    row("memory, MB", f"{(gallery.matrix.nbytes + names) / 1e6:.1f}", f"{bare.nbytes / 1e6:.1f}", "")


def bench_cost(passages: int) -> None:
    """Count the requests of passages of ten seconds at five looks a second, against a service that counts."""
    from identity.analyser import FaceAnalyser
    from identity.recognisers.base import Face
    from identity.recognisers.local import LocalRecogniser, gallery_of
    from identity.rules import Candidate
    from identity.tests.photos import driver
    from streaming.frames import Frame, Track

    class Counting(LocalRecogniser):
        """Finds and embeds once: what is counted are the searches, each a paid request."""

        searches = 0
        faces: Sequence[Face] = ()
        vector = np.zeros(128, np.float32)

        def find_faces(self, image: np.ndarray) -> Sequence[Face]:
            """The same face, as large as somebody is who comes nearer by steps of chance."""
            face = self.faces[0]
            return [replace(face, quality=replace(face.quality, width=dice.uniform(45, 160)))]

        def embed(self, image: np.ndarray, face: Face) -> np.ndarray:
            return self.vector

        def search(self, image: np.ndarray, face: Face) -> Sequence[Candidate]:
            self.searches += 1
            return super().search(image, face)

    dice, image, real = random.Random(7), driver(), LocalRecogniser()
    engine = Counting()
    engine.faces = real.find_faces(image)
    engine.vector = real.embed(image, engine.faces[0])
    height, width = image.shape[:2]
    looks = 50
    row(f"{passages:,} passages of {looks} looks each", "requests", "dollars", "a passage")
    for name, known in (("with the per-track rule, everybody known", True), ("... nobody known", False)):
        engine.gallery = gallery_of({"1": [engine.vector]} if known else {})
        engine.searches = 0
        analyser = FaceAnalyser(engine, {})
        for passage in range(passages):
            start = passage * 60.0
            for look in range(looks):
                at = start + look / 5
                track = Track(passage, "person", 0.9, (0, 0, width, 2 * height), True, start, at)
                analyser.analyse(Frame("gate", look, at, image), [track])
            analyser.analyse(Frame("gate", looks, start + 20, image), [])
        row(name, f"{engine.searches:,}", f"{engine.searches * PRICE:.2f}", f"{engine.searches / passages:.2f}")
    naive = passages * looks
    row("without it: every look is searched", f"{naive:,}", f"{naive * PRICE:.2f}", f"{naive / passages:.2f}")


def bench_purge(files: int, size: int = 20_000) -> None:
    """Delete files of rows, beside deleting as many files bare. The database is SQLite."""
    with tempfile.TemporaryDirectory(prefix="factoryai-bench-") as name:
        _migrate()
        limit = _unlink_bare(Path(name) / "bare", files, size)
        began, report = _purge(Path(name) / "media", files, size)
        took = time.perf_counter() - began
        row(f"purge of {files:,} files of {size // 1000} kB", "seconds", "files a second", "x bare")
        row("product: rows, files, rows", f"{took:.1f}", f"{files / took:,.0f}", f"{took / limit:.1f}")
        row("bare unlink of the same files", f"{limit:.1f}", f"{files / limit:,.0f}", "1.0")
        row("freed, MB", f"{report.freed_mb:,.1f}", "", "")


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _unlink_bare(folder: Path, files: int, size: int) -> float:
    names = [folder / uuid.UUID(int=n).hex[-2:] / f"{n}" for n in range(files)]
    _fill(names, size)
    began = time.perf_counter()
    for path in names:
        path.unlink()
    return time.perf_counter() - began


def _fill(names: Sequence[Path], size: int) -> None:
    data = os.urandom(size)
    for shelf in {path.parent for path in names}:
        shelf.mkdir(parents=True, exist_ok=True)
    for path in names:
        path.write_bytes(data)


def _purge(folder: Path, files: int, size: int) -> tuple[float, object]:
    from factoryai.sites.models import Site
    from identity.files import FolderFiles
    from identity.models import Snapshot
    from identity.services.purge import purge_snapshots

    site = Site.objects.create(slug="bench", name="Bench")
    now = dt.datetime.now(dt.UTC)
    old = now - dt.timedelta(days=100)
    rows = [
        Snapshot(
            site=site, kind="sighting", reason="bench", captured_at=old, created_at=old, state="stored", size_bytes=size
        )
        for _ in range(files)
    ]
    Snapshot.objects.bulk_create(rows, batch_size=2000)
    _fill([folder / row.file_name for row in rows], size)
    began = time.perf_counter()
    report = purge_snapshots(at=now, files=FolderFiles(folder))
    assert (report.deleted, report.freed_bytes) == (files, files * size), report
    return began, report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["decision", "gallery", "cost", "purge"])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--passages", type=int, default=1000)
    asked = parser.parse_args()
    parts = {
        "decision": bench_decision,
        "gallery": bench_gallery,
        "cost": lambda: bench_cost(asked.passages),
        "purge": lambda: bench_purge(asked.files),
    }
    with tempfile.TemporaryDirectory(prefix="factoryai-bench-") as folder:
        _use_a_throw_away(folder)
        for name, part in parts.items():
            if asked.only in (None, name):
                part()
                print()


def _use_a_throw_away(folder: str) -> None:
    """Nothing of an installation is read or written: models need settings, and the settings a folder."""
    import django

    os.environ.update(FACTORYAI_MODE="embedded", FACTORYAI_DATA_DIR=folder)
    os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
    os.environ["DJANGO_SETTINGS_MODULE"] = "factoryai.settings"
    django.setup()


if __name__ == "__main__":
    main()
