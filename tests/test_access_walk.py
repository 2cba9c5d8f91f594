"""The walk: every address, as everybody, against the table of who may; an address that is not in the table fails.

The table is `tests/access/table.txt`. Whoever adds an address runs this test and is told the line it would have: to be
judged, then added. Whatever a stranger is answered must not hold the mark of the site it asked about.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client, override_settings
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from tests.access import routes
from tests.access.asking import BODIES, address, sending
from tests.access.world import (
    APPS,
    ELSEWHERE,
    HOME,
    PERSONS,
    STRANGERS,
    World,
    is_shared,
    make_world,
    own_models,
)

pytestmark = [pytest.mark.django_db, pytest.mark.system]

TABLE = Path(__file__).parent / "access" / "table.txt"
READ_AT_MOST = 300_000
METHODS = ("GET", "PATCH", "POST", "DELETE")


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    """One world for the whole walk; each request is rolled back."""
    pictures = override_settings(MEDIA_PLACE=str(tmp_path_factory.mktemp("media")), API_RATE=0)
    with django_db_blocker.unblock(), transaction.atomic(), pictures:
        yield make_world()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def clients(world) -> dict[str, Client]:
    found = {}
    for person, user in world.users.items():
        found[person] = Client(raise_request_exception=False)
        if user is not None:
            # A disabled account cannot log in; this one was disabled while it was.
            type(user).objects.filter(pk=user.pk).update(is_active=True)
            found[person].force_login(user)
            type(user).objects.filter(pk=user.pk).update(is_active=user.is_active)
    return found


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def table() -> dict[str, list[str]]:
    """Return the expectation of each route: a word for each person, in their order."""
    lines = (line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return {line[:70].strip(): line[70:].split() for line in lines}


def line_of(route: str, words: list[str]) -> str:
    return f"{route:<70}" + " ".join(f"{word:<5}" for word in words).rstrip()


def ask(client: Client, route: str, world: World) -> HttpResponseBase:
    method = route.partition(" ")[0].lower()
    return getattr(client, method)(address(route, world), **sending(route, world))


def text_of(answer: HttpResponseBase) -> str:
    """Return what was answered; of a stream nothing: it does not end."""
    if answer.streaming:
        return "" if getattr(answer, "is_async", False) else b"".join(answer.streaming_content).decode("latin1")
    return answer.content[:READ_AT_MOST].decode("utf-8", "replace") + str(answer.headers)


def word_of(answer: HttpResponseBase) -> str:
    """Return the status; a redirect to the login says so."""
    if answer.status_code == 302 and answer.headers["Location"].startswith(("/login", "/admin/login")):
        return "login"
    return str(answer.status_code)


def leaks(person: str, text: str) -> list[str]:
    """Return the marks that ``person`` must not read."""
    if person == "root":
        return []
    hidden = [HOME] if person in STRANGERS else []
    return [mark for mark in [*hidden, *([] if person == "other" else [ELSEWHERE])] if mark in text]


def in_order(found: set[str]) -> list[str]:
    """Sort routes, those that remove something last: files do not come back with the rows."""
    return sorted(found, key=lambda route: (METHODS.index(route.partition(" ")[0]), route))


def walked(world: World, clients: dict[str, Client], all_routes: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Ask every route as everybody; return the words and the leaks."""
    found: dict[str, list[str]] = {}
    leaked = []
    for route, person in itertools.product(all_routes, PERSONS):
        client, cookies = clients[person], clients[person].cookies.copy()
        with undone():
            answer = ask(client, route, world)
            text = text_of(answer)
        client.cookies = cookies  # logging out is undone like everything else
        found.setdefault(route, []).append(word_of(answer))
        leaked += [f"{person} reads {mark} at {route}" for mark in leaks(person, text)]
    return found, leaked


def judge(found: dict[str, list[str]], wanted: dict[str, list[str]]) -> None:
    """Compare with the table; says which lines to look at, and how they would be written."""
    wrong = [line_of(route, words) for route, words in found.items() if wanted.get(route) != words]
    gone = sorted(wanted.keys() - found.keys())
    header = line_of("# who", list(PERSONS))
    assert not wrong, "Not in the table, or not as it says. Judge each line:\n" + "\n".join([header, *wrong])
    assert not gone, f"In the table and nowhere else: {gone}"


def test_every_operation_of_the_api_and_every_page(world, clients):
    wanted = {route: words for route, words in table().items() if not route.startswith("ADMIN ")}
    pages = {f"GET {route}".strip() for route in routes.other_patterns()}
    posts = {route for route in BODIES if route.startswith("POST ") and "/api/" not in route}
    found, leaked = walked(world, clients, in_order(routes.operations() | pages | posts))
    only_posted = {f"POST{route[3:]}" for route, words in found.items() if words[-1] == "405" and route in pages}
    more, more_leaked = walked(world, clients, in_order(only_posted - posts))
    found, leaked = found | more, leaked + more_leaked
    assert not leaked, "\n".join(leaked)
    judge(found, wanted)


def opened(client: Client, person: str, label: str, world: World) -> tuple[str, list[str]]:
    """Return the letters of the pages of a model's admin that open, and what they leak."""
    name = label.replace(".", "_")
    row = row_of(label, world)
    letters, leaked = "", []
    for page, letter in routes.ADMIN_PAGES.items():
        takes_row = page in ("change", "history", "delete")
        if takes_row and row is None:
            continue
        answer = client.get(reverse(f"admin:{name}_{page}", args=[row.pk] if takes_row else []))
        assert answer.status_code < 500, f"{label} {page} fails for {person}"
        letters += letter if answer.status_code == 200 else ""
        leaked += [f"{person} reads {mark} at {label} {page}" for mark in leaks(person, text_of(answer))]
    return letters or "-", leaked


def row_of(label: str, world: World):
    model = next(model for model in admin.site._registry if model._meta.label_lower == label)
    if label == "sites.site":
        return world.home
    if label == "auth.user":
        return world.users["mgr"]
    return world.rows.get((model._meta.label, HOME)) or model._default_manager.first()


def test_every_page_of_the_administration(world, clients):
    found: dict[str, list[str]] = {}
    leaked: list[str] = []
    for label, person in itertools.product(sorted(routes.model_pages()), PERSONS):
        with undone():
            letters, more = opened(clients[person], person, label, world)
        found.setdefault(f"ADMIN {label}", []).append(letters)
        leaked += more
    assert not leaked, "\n".join(leaked)
    judge(found, {route: words for route, words in table().items() if route.startswith("ADMIN ")})


def counts(world: World) -> dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in own_models() if not is_shared(model)}


def test_a_stranger_who_is_answered_changes_nothing_of_the_home_site(world, clients):
    """Bulk posts and dry questions are answered 200; what they name of another site must not have happened."""
    before = counts(world)
    for route, words in table().items():
        method, _, path = route.partition(" ")
        word = words[PERSONS.index("other")]
        if method in ("POST", "PATCH", "DELETE") and path.startswith("/api/") and word.startswith("2"):
            with undone():
                ask(clients["other"], route, world)
                assert counts(world) == before, route


def test_a_filter_does_not_tell_whether_a_row_of_another_site_exists(world, clients):
    """The answer for a row of another site is that for a row that is nowhere, word for word."""
    schema = SchemaGenerator().get_schema(public=True)
    asked = 0
    for path, found in schema["paths"].items():
        for one in found.get("get", {}).get("parameters", []):
            if one["in"] != "query" or one["schema"].get("type") != "integer" or one["name"] in ("page", "page_size"):
                continue
            models = [row for row in world.rows.values() if row._meta.model_name == one["name"].replace("_", "")]
            if not models or "{" in path:
                continue
            asked += 1
            more = "&month=2026-03" if "ledger" in path else ""
            theirs = clients["other"].get(f"{path}?{one['name']}={models[0].pk}{more}")
            nobody = clients["other"].get(f"{path}?{one['name']}=987654321{more}")
            same = nobody.content.replace(b"987654321", str(models[0].pk).encode())
            assert (theirs.status_code, theirs.content) == (nobody.status_code, same), f"{path}?{one['name']}"
    assert asked >= 5


OWN_ACTIONS = {
    (model._meta.label, action): admin_of
    for model, admin_of in admin.site._registry.items()
    for action in (getattr(one, "__name__", one) for one in admin_of.actions or [])
    if model._meta.app_label in APPS
}


@pytest.mark.parametrize(("label", "action"), OWN_ACTIONS, ids=lambda value: str(value))
@pytest.mark.parametrize("person", [*STRANGERS, "dev"])
def test_no_stranger_acts_on_a_row_in_the_administration(world, clients, label, action, person):
    row = world.row(label)
    address = reverse(f"admin:{label.lower().replace('.', '_')}_changelist")
    with undone():
        answer = clients[person].post(
            address, {"action": action, "_selected_action": [row.pk], "note": "x", "apply": 1}
        )
        after = str(type(row)._default_manager.filter(pk=row.pk).values().first())
    assert answer.status_code < 500
    assert HOME not in text_of(answer)
    assert after == str(type(row)._default_manager.filter(pk=row.pk).values().first())
