"""Plates: text to verdict beside one bare regular expression, and picture to verdict beside the nets alone.

All times are processor time of this process, whose nets use one thread, so that other work on the machine does not
count: ``python -m bench.vehicles [--texts 50000] [--pictures 40] [--plates 100000]``
What needs a whole installation, a read until its alarm is on the screens, is `bench.gate`.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

from bench.plate_list import measure_list
from vehicles.readers.decoder import decode_steps
from vehicles.readers.finder import TextFinder
from vehicles.readers.letters import LetterNet
from vehicles.readers.ppocr import PpOcrReader
from vehicles.readers.templates import template_for
from vehicles.rules.correction import LOOKALIKES
from vehicles.rules.formats import compile_format
from vehicles.rules.gate import STRICT, judge_plate
from vehicles.tests.plates import USUAL, Colours, draw_plate, foreign_plate, one_line, spoil, two_lines, usual_groups
from vehicles.tests.test_rules import make_plate

WORST = ("0O1I2Z5S6G8B0O1", "MH0O1I2Z5S6G8B1", "DL1IL1IL1IL1IL1", "8B8B8B8B8B8B8B8")
FORMATS = [compile_format("forklift", "FL[0-9]{3}"), compile_format("any", "[0-9]{2}[A-Z0-9]{0,13}7")]


def misread(plate: str, dice: random.Random) -> str:
    spots = [n for n, letter in enumerate(plate) if letter in LOOKALIKES]
    if not spots:
        return plate
    spot = dice.choice(spots)
    return plate[:spot] + dice.choice(LOOKALIKES[plate[spot]]) + plate[spot + 1 :]


def rate(judge: Callable[[str], object], texts: list[str]) -> float:
    """Return texts a second, the best of three passes."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for text in texts:
            judge(text)
        best = min(best, time.process_time() - began)
    return len(texts) / best


def slowest_us(judge: Callable[[str], object], texts: Sequence[str]) -> float:
    """Return the microseconds of the text that takes longest, each the best of three."""
    return max(min(_spent(judge, text) for _ in range(3)) for text in texts) * 1e6


def _spent(judge: Callable[[str], object], text: str) -> float:
    began = time.thread_time()
    judge(text)
    return time.thread_time() - began


def measure_texts(count: int) -> None:
    dice = random.Random(7)
    plates = [make_plate(dice) for _ in range(count)]
    mixed = [misread(plate, dice) if dice.random() < 0.1 else plate for plate in plates]
    limit = rate(STRICT.fullmatch, plates)
    print(f"{'texts':44}{'a second':>12}{'x limit':>10}")
    print(f"{'bare regular expression (the limit)':44}{limit:12,.0f}{1:10.2f}")
    rows = {
        "plates as they are": plates,
        "a tenth with one misread character": mixed,
        "worst cases": list(WORST) * (count // 200),
    }
    for name, texts in rows.items():
        got = rate(lambda text: judge_plate(text, 0.99), texts)
        print(f"{name:44}{got:12,.0f}{limit / got:10.2f}")
    odd = [*WORST, "A" * 65_536, "ﷺ" * 64, "\u202e" * 64, "".join(chr(dice.randrange(32, 0x3000)) for _ in range(64))]
    odd += ["".join(dice.choice("0ODQ1IL2Z5S6G8BMHKAT") for _ in range(dice.randint(4, 18))) for _ in range(2000)]
    print(f"slowest of {len(odd)} texts: {slowest_us(lambda text: judge_plate(text, 0.99), odd):.0f} µs, ", end="")
    print(f"with two formats of a site {slowest_us(lambda text: judge_plate(text, 0.99, formats=FORMATS), odd):.0f} µs")


class Timed:
    """A net that adds up what it takes."""

    def __init__(self, session: object) -> None:
        self._session, self.spent_s = session, 0.0

    def run(self, outputs: object, inputs: object) -> list[np.ndarray]:
        began = time.process_time()
        try:
            return self._session.run(outputs, inputs)
        finally:
            self.spent_s += time.process_time() - began


def measure_pictures(count: int) -> None:
    finder, letters, template = TextFinder(), LetterNet(), template_for()
    reader = PpOcrReader()
    reader._finder, reader._letters = finder, letters
    finder._session, letters._session = nets = Timed(finder._session), Timed(letters._session)
    dice = random.Random(3)
    print(
        f"\n{'picture to verdict':44}{'median ms':>12}{'nets ms':>10}{'more':>8}"
        f"{'right':>8}{'believed':>10}{'wrong':>8}"
    )
    for name, write, size in (
        ("a plate cut out, one line", one_line, None),
        ("a plate cut out, two lines", two_lines, None),
        ("a vehicle's box of 400 × 300, one line", one_line, (400, 300)),
        ("a vehicle's box of 400 × 300, two lines", two_lines, (400, 300)),
        ("plates of other countries", None, None),
    ):
        spent, bare, right, believed, wrong = [], [], 0, 0, 0
        for _ in range(count):
            groups = usual_groups(dice)
            lines = write(groups) if write else [line.replace("-", " ") for line in foreign_plate(dice)]
            picture = spoil(draw_plate(lines, dice.choice(list(Colours))), USUAL, dice, size)
            before, began = sum(net.spent_s for net in nets), time.process_time()
            plates = reader.read(picture)
            verdict = judge_plate(plates[0].text, plates[0].confidence) if plates else None
            spent.append(time.process_time() - began)
            bare.append(sum(net.spent_s for net in nets) - before)
            is_right = bool(plates) and write is not None and plates[0].text == "".join(groups)
            right += is_right
            believed += bool(verdict and verdict.accepted)
            wrong += bool(verdict and verdict.accepted and not is_right)
        more = statistics.median(whole / nets_s - 1 for whole, nets_s in zip(spent, bare, strict=True))
        print(
            f"{name:44}{statistics.median(spent) * 1e3:12.1f}{statistics.median(bare) * 1e3:10.1f}{more:8.0%}"
            f"{right / count:8.0%}{believed / count:10.0%}{wrong:8}"
        )
    steps = letters.look(spoil(draw_plate(["MH 12 AB 1234"], Colours.PRIVATE), USUAL, dice)).chances
    times = [_spent(lambda chances: decode_steps(chances, template), steps) for _ in range(20)]
    print(f"{'decoding one line':44}{statistics.median(times) * 1e3:12.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=50_000)
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--plates", type=int, default=100_000, help="on the blocked list")
    wanted = parser.parse_args()
    measure_texts(wanted.texts)
    measure_pictures(wanted.pictures)
    measure_list(wanted.plates)


if __name__ == "__main__":
    main()
