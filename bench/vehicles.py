"""Plate text to verdict, beside one bare regular expression over the same texts.

``python -m bench.vehicles [--texts 50000]``
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable

from vehicles.rules.correction import LOOKALIKES
from vehicles.rules.gate import STRICT, judge_plate
from vehicles.tests.test_rules import make_plate

WORST = ("0O1I2Z5S6G8B0O1", "MH0O1I2Z5S6G8B1", "DL1IL1IL1IL1IL1", "8B8B8B8B8B8B8B8")


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
        began = time.perf_counter()
        for text in texts:
            judge(text)
        best = min(best, time.perf_counter() - began)
    return len(texts) / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=50_000)
    count = parser.parse_args().texts
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


if __name__ == "__main__":
    main()
