"""Secrets do not reach a log, and what people type stays on its line."""

from __future__ import annotations

import io
import logging
from urllib.parse import quote

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from factoryai.redaction import Formatter, redact

CANARY = "Canary-7f3e"


@pytest.fixture
def log():
    """A logger as the settings configure it, and what it writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    options = settings.LOGGING["formatters"]["plain"]
    handler.setFormatter(Formatter(options["format"], secrets=[*options["secrets"], CANARY]))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger, written


@pytest.mark.parametrize(
    "text",
    [
        f"cannot open rtsp://admin:{CANARY}@192.168.1.9:554/stream",
        f"cannot open RTSPS://admin:{CANARY}@[fe80::1]/stream",
        f"redis://:{CANARY}@localhost/0",
        f"postgresql://factory:{CANARY}@db:5432/name",
        f"Authorization: Bearer {CANARY}.payload.signature",
        f"POST /login password={CANARY}&next=/",
        f"{{'password': '{CANARY}'}}",
        f'{{"token": "{CANARY}"}}',
        f"/api/video_feed?camera=gate&ticket={CANARY}",
    ],
)
def test_a_secret_is_masked_by_where_it_stands(text):
    assert CANARY not in redact(text)


def test_the_rest_of_the_line_stays_readable():
    text = redact("cannot open rtsp://admin:secret@192.168.1.9:554/stream: time-out")
    assert text == "cannot open rtsp://•••@192.168.1.9:554/stream: time-out"


@pytest.mark.parametrize("text", ["GET /cameras/gate 200", "https://a.test/x", "3 of 4 live"])
def test_ordinary_text_is_left_alone(text):
    assert redact(text) == text


@given(
    st.text(st.characters(categories=("L", "N")), min_size=1), st.text(st.characters(categories=("L", "N")), min_size=8)
)
def test_no_password_in_an_address_survives(user, password):
    assert password not in redact(f"x rtsp://{quote(user)}:{password}@camera/1 y").replace("camera", "")


def test_a_known_secret_is_masked_wherever_it_stands(log):
    logger, written = log
    logger.error("it said %s and left", CANARY)
    logger.error("key %s", settings.SECRET_KEY)
    assert CANARY not in written.getvalue()
    assert settings.SECRET_KEY not in written.getvalue()


def test_a_traceback_is_masked_too(log):
    logger, written = log
    try:
        raise OSError(f"rtsp://admin:{CANARY}x@camera failed")
    except OSError:
        logger.exception("reading failed")
    assert "Traceback" in written.getvalue()
    assert CANARY not in written.getvalue()


@given(st.text())
def test_what_is_logged_stays_on_one_line(text):
    record = logging.LogRecord("test", logging.INFO, "", 0, "plate %s read", (text,), None)
    assert len(Formatter("%(message)s").format(record).splitlines()) == 1


def test_times_are_in_utc():
    record = logging.LogRecord("test", logging.INFO, "", 0, "x", (), None)
    record.created, record.msecs = 0.0, 0.0
    assert Formatter("%(asctime)s").format(record) == "1970-01-01 00:00:00.000Z"
