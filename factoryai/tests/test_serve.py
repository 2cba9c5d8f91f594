"""The web process: what is left behind by requests is collected soon."""

import gc
import weakref

import pytest

from factoryai.management.commands.serve import COLLECT_AT, set_aside_what_is_loaded


class Request:
    """A cycle, as requests are."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def set_aside():
    before = gc.get_threshold()
    set_aside_what_is_loaded()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_loaded_is_not_looked_at_again(set_aside):
    assert len(gc.get_objects()) < gc.get_freeze_count() / 10


def test_a_request_that_lasted_is_collected_soon(set_aside):
    request = Request()
    gone = weakref.ref(request)
    gc.collect()  # it is old now, as a viewer's is
    del request
    often, middle, old = COLLECT_AT
    kept = [[] for _ in range(often * (middle + 2) * (old + 2))]
    assert gone() is None, len(kept)
