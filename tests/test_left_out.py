"""What is left out is said; under CI=true it fails the run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.installation import PROJECT

SKIPPING = "import pytest\ndef test_that_skips():\n    pytest.skip('the moon is not full')\n"
PASSING = "def test_that_passes():\n    pass\n"


@pytest.fixture
def run(tmp_path):
    def run(code: str, ci: str, *options: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_one.py").write_text(code)
        plugins = ("-p", "tests.left_out", "-p", "no:django")
        return subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, "-c", os.devnull, *options, tmp_path],
            cwd=PROJECT,
            env={**os.environ, "CI": ci},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize(("ci", "code"), [pytest.param("", 0, id="at a desk"), pytest.param("true", 1, id="on CI")])
def test_a_skipped_test_is_said_and_fails_only_on_ci(run, ci, code):
    result = run(SKIPPING, ci)
    assert "1 skipped: the moon is not full" in result.stdout
    assert result.returncode == code


def test_workers_say_what_they_left_out(run):
    result = run(PASSING + SKIPPING, "true", "-n", "2", "-k", "skips")
    assert "1 that nobody asked for" in result.stdout
    assert "1 skipped: the moon is not full" in result.stdout
    assert result.returncode == 1


def test_a_whole_run_says_that_nothing_was_left_out(run):
    result = run(PASSING, "true")
    assert "Nothing was left out." in result.stdout
    assert result.returncode == 0
