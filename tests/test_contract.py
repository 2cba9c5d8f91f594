"""The answers of the API are those its schema describes, whatever is sent. `bench/contract.py` asks 10,000 times."""

from __future__ import annotations

import math
import os

import pytest

from tests import contract
from tests.access.world import make_world

pytestmark = [pytest.mark.django_db, pytest.mark.system]

CASES = int(os.environ.get("FACTORYAI_TEST_CASES", "500"))
SEED = int(os.environ.get("FACTORYAI_TEST_SEED", "7"))


def test_no_generated_request_finds_a_fault(settings):
    settings.API_RATE = 0
    world, outcome = make_world(), contract.Outcome()
    with contract.one_connection():
        operations = list(contract.operations())
        each = math.ceil(CASES / len(operations))
        for operation in operations:
            contract.run(operation, world, cases=each, seed=SEED, outcome=outcome)
    print(f"\n{outcome.cases} requests to {len(operations)} operations: {dict(outcome.statuses)}")
    assert not outcome.faults, "\n\n".join(f"{label}\n{text}" for label, text in sorted(outcome.faults.items()))
    assert outcome.cases >= 0.9 * CASES
    assert outcome.statuses["2xx"] > outcome.cases / 10
    assert outcome.statuses["5xx"] == 0
