"""Ten thousand generated requests against every operation of the schema, on PostgreSQL; no answer may surprise it.

``python -m bench.contract [--cases 10000] [--seed 1]``

It runs `tests/test_contract.py` with more cases: each is rolled back, and the same seed asks the same again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("postgres", "sqlite"), default="postgres")
    asked = parser.parse_args()
    environment = {
        **os.environ,
        "FACTORYAI_TEST_ENGINE": asked.engine,
        "FACTORYAI_TEST_CASES": str(asked.cases),
        "FACTORYAI_TEST_SEED": str(asked.seed),
    }
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--no-header", "--show-capture=no", "tests/test_contract.py"]
    done = subprocess.run(command, env=environment, check=False)
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
