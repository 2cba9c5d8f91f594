"""The contract of vehicles: each address as nobody, the wrong role, another site and the right person."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from factoryai.alerts.models import Alert
from factoryai.sites.tests.factories import api_client
from vehicles.models import ListChange, ListEntry, Opening, PlateRead, Vehicle, Visit
from vehicles.tests.factories import OTHER, PLATE, Plant, make_plant

BASE = "/api/v1/vehicles"
CAPTURED = "2026-03-02T12:00:00+05:30"
GUARDS_ONLY = ["logs", "visits", "blocked-plates", "allowed-plates", "watched-plates"]


@pytest.fixture
def plant(db: None) -> Plant:
    return make_plant()


def post(user: Any, path: str, data: Any) -> Any:
    """Post plain ASCII, in which JSON can say what no text of UTF-8 holds."""
    return api_client(user).post(f"{BASE}/{path}", json.dumps(data), content_type="application/json")


def get(user: Any, path: str, **query: Any) -> Any:
    return api_client(user).get(f"{BASE}/{path}", query)


def row(event: str = "e1", **changes: Any) -> dict[str, Any]:
    given = {"event_id": event, "camera": "gate-in", "track": "t1", "plate": PLATE, "confidence": 0.97}
    return {**given, "captured_at": CAPTURED, "direction": "in", **changes}


def listed(**changes: Any) -> dict[str, Any]:
    return {"site": "pune", "plate": "mh-12 ab 1234", "reason": "Theft of material", **changes}


# Judging


def ask(user: Any, plate: str, confidence: float = 0.97, **more: Any) -> dict[str, Any]:
    answer = post(user, "validate-plate", {"plate": plate, "confidence": confidence, "profile": "india", **more})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_plate_is_judged_and_nothing_is_written(plant: Plant) -> None:
    plant.block(reason="Theft")
    before = counts()
    found = ask(plant.people.farid, "mh 12 ab 1234")
    assert found == {
        "verdict": "valid", "accepted": True, "family": "standard", "normalised": PLATE,
        "match_key": "MH-12-AB-1234", "candidates": [], "corrected_positions": [], "reasons": [],
        "blocked": {"level": "critical", "plate": PLATE, "reason": "Theft"}, "decision": "block",
    }  # fmt: skip
    assert ask(plant.people.farid, PLATE, confidence=0.85)["accepted"] is False
    assert counts() == before


def counts() -> list[int]:
    return [model.objects.count() for model in (PlateRead, Visit, Vehicle, Alert, Opening, ListChange)]


def test_the_other_address_answers_alike(plant: Plant) -> None:
    body = {"plate": "HR260K8337", "confidence": 0.99}
    answers = [api_client(plant.people.farid).post(f"/api/v1/{name}/validate-plate", body) for name in WORDS]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["verdict"] == "review"


WORDS = ("vehicles", "vehicle")


def test_the_gate_would_open_for_an_allowed_plate_of_ones_own_site_only(plant: Plant) -> None:
    plant.allow()
    assert ask(plant.people.farid, PLATE)["decision"] == "open"
    assert ask(plant.people.stranger, PLATE)["decision"] == "hold"
    plant.block(OTHER)
    assert ask(plant.people.stranger, OTHER)["blocked"] is None
    assert ask(plant.people.farid, OTHER, site="pune")["decision"] == "block"
    assert (
        post(plant.people.stranger, "validate-plate", {"plate": PLATE, "confidence": 1, "site": "pune"}).status_code
        == 404
    )


def test_who_may_not_know_who_drives_in_gets_no_list(plant: Plant) -> None:
    plant.block(site=None)
    assert ask(plant.people.farid, PLATE)["decision"] == "block"
    assert ask(plant.people.meena, PLATE)["blocked"] is None
    assert post(plant.people.gate, "validate-plate", {"plate": PLATE, "confidence": 1}).status_code == 403
    assert post(None, "validate-plate", {"plate": PLATE, "confidence": 1}).status_code == 401


@pytest.mark.parametrize(
    ("change", "name"),
    [
        pytest.param({"confidence": 1.01}, "confidence", id="more than sure"),
        pytest.param({"confidence": "nan"}, "confidence", id="no number"),
        pytest.param({"confidence": None}, "confidence", id="nothing"),
        pytest.param({"profile": "moon"}, "profile", id="no profile"),
        pytest.param({"plate": {"a": 1}}, "plate", id="no text"),
    ],
)
def test_nonsense_is_refused_by_name(plant: Plant, change: dict[str, Any], name: str) -> None:
    answer = post(plant.people.farid, "validate-plate", {"plate": PLATE, "confidence": 0.9, **change})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [name])


@pytest.mark.parametrize(
    "text", ["", "MH12AB1234\n<b>", "=1+1", "\u202eMH12AB1234", "МН12АВ1234", "A" * 65_536, "MH12\x00AB1234"]
)
def test_any_text_is_judged(plant: Plant, text: str) -> None:
    assert ask(plant.people.farid, text)["accepted"] is False


def test_two_spellings_are_one_plate(plant: Plant) -> None:
    assert post(plant.people.farid, "same-plate", {"a": "KA01EK171", "b": "ka-01-ek-0171"}).json() == {"same": True}
    assert post(plant.people.farid, "same-plate", {"a": "TS09EA1234", "b": "TG09EA1234"}).json() == {"same": False}
    assert post(plant.people.gate, "same-plate", {"a": "", "b": ""}).status_code == 403


# Reads


def test_a_device_posts_reads_and_bad_rows_spoil_nothing(plant: Plant) -> None:
    rows = [
        row("e1"),
        row("e2", confidence=7),
        row("e3", camera="elsewhere"),
        row("e4", captured_at="2026-03-02T12:00:00"),
        row("e1"),
        row("e5", plate="A" * 65_536),
        "nonsense",
        row("e6", captured_at="2999-01-01T00:00:00Z"),
        row("e7", direction="up"),
        None,
        row("e8", camera="gate\x00"),
        row("e9", camera="gate\ud800"),
    ]
    answer = post(plant.people.gate, "reads", rows)
    found = answer.json()
    assert (answer.status_code, found["accepted"], found["duplicates"]) == (200, 2, 1)
    codes = [(one["index"], one["code"]) for one in found["rejected"]]
    assert codes == [
        (1, "max_value"), (2, "unknown_camera"), (3, "naive_time"), (6, "invalid"), (7, "in_future"),
        (8, "invalid_choice"), (9, "null"), (10, "null_characters_not_allowed"),
        (11, "surrogate_characters_not_allowed"),
    ]  # fmt: skip
    again = post(plant.people.gate, "reads", rows).json()
    assert (again["accepted"], again["duplicates"]) == (0, 3)
    assert sorted(PlateRead.objects.values_list("event_id", "verdict")) == [("e1", "valid"), ("e5", "invalid")]


def test_reads_of_many_vehicles_share_their_statements(plant: Plant) -> None:
    rows = [row(f"e{n}", plate=f"MH12AB{1000 + n % 60}", track=f"t{n % 60}") for n in range(120)]
    with CaptureQueriesContext(connection) as queries:
        answer = post(plant.people.gate, "reads", rows)
    assert (answer.json()["accepted"], Visit.objects.count()) == (120, 60)
    assert len(queries) < 60
    assert post(plant.people.gate, "reads", rows).json() == {"accepted": 0, "duplicates": 120, "rejected": []}


def test_who_posts_reads_is_a_device_or_a_manager(plant: Plant) -> None:
    people = plant.people
    codes = [post(user, "reads", []).status_code for user in (None, people.asha, people.meena, people.farid)]
    assert codes == [401, 403, 403, 403]
    assert post(people.kavita, "reads", [row()]).json()["accepted"] == 1
    assert post(people.stranger, "reads", [row("x")]).json()["rejected"][0]["code"] == "unknown_camera"
    assert post(people.gate, "reads", {"event_id": "x"}).json()["code"] == "not_a_list"
    assert post(people.gate, "reads", [{}] * 1001).status_code == 413


def test_without_a_direction_the_camera_says_it(plant: Plant) -> None:
    given = row()
    del given["direction"]
    post(plant.people.gate, "reads", [given, row("e2", direction=None), row("e3", direction="")])
    assert list(PlateRead.objects.order_by("event_id").values_list("direction", flat=True)) == ["in", "in", ""]


@pytest.mark.parametrize("path", GUARDS_ONLY)
def test_a_device_may_only_post_and_hr_does_not_see_who_drove_in(plant: Plant, path: str) -> None:
    people = plant.people
    codes = [get(user, path).status_code for user in (None, people.gate, people.meena, people.asha)]
    assert codes == [401, 403, 403, 403]
    assert [get(user, path).status_code for user in (people.farid, people.kavita, people.root)] == [200] * 3


# The log and the visits


def test_the_log_has_every_read_with_its_verdict(plant: Plant) -> None:
    post(
        plant.people.gate, "reads", [row(), row("e2", plate="HELLO", track=""), row("e3", camera="gate-out", track="")]
    )
    found = get(plant.people.farid, "logs", ordering="captured_at").json()
    assert found["count"] == 3
    first = next(one for one in found["results"] if one["event_id"] == "e1")
    assert (first["plate"], first["verdict"], first["decision"], first["why"]) == (PLATE, "valid", "hold", "not_listed")
    assert (first["site"], first["camera"], first["captured_at"]) == ("pune", "gate-in", "2026-03-02T06:30:00Z")
    assert get(plant.people.farid, "logs", verdict="invalid").json()["count"] == 1
    assert get(plant.people.farid, "logs", plate="mh12 AB-1234").json()["count"] == 2
    assert get(plant.people.farid, "logs", plate="b12").json()["count"] == 2
    assert get(plant.people.farid, "logs", camera="gate-out").json()["count"] == 1
    assert get(plant.people.farid, "logs", accepted="maybe").status_code == 400
    assert get(plant.people.stranger, "logs").json()["count"] == 0
    assert get(plant.people.stranger, f"logs/{first['id']}").status_code == 404


def test_a_visit_has_its_dwell(plant: Plant) -> None:
    later = "2026-03-02T12:42:10+05:30"
    post(plant.people.gate, "reads", [row(), row("e2", camera="gate-out", direction="out", captured_at=later)])
    visit = get(plant.people.farid, "visits").json()["results"][0]
    assert (visit["state"], visit["dwell_s"], visit["plate"], visit["reads_count"]) == ("left", 2530, PLATE, 2)
    assert get(plant.people.farid, "visits", state="open").json()["count"] == 0
    assert get(plant.people.stranger, f"visits/{visit['id']}").status_code == 404
    assert get(plant.people.farid, f"visits/{visit['id']}").json() == visit


def test_a_page_of_the_log_costs_the_same_however_long(plant: Plant) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            get(plant.people.farid, "logs")
        return len(asked)

    post(plant.people.gate, "reads", [row()])
    few = queries()
    post(plant.people.gate, "reads", [row(f"x{number}") for number in range(20)])
    assert queries() == few


# Lists


def test_a_plate_is_blocked_found_changed_and_removed(plant: Plant) -> None:
    farid = plant.people.farid
    made = post(farid, "blocked-plates", listed())
    entry = made.json()
    assert made.status_code == 201
    assert (entry["plate"], entry["match_key"], entry["added_by"]) == (PLATE, "MH-12-AB-1234", "farid")
    assert (entry["site"], entry["severity"], entry["standing"]) == ("pune", "critical", "in force")
    assert get(farid, "blocked-plates", plate="MH 12 AB 1234").json()["count"] == 1
    address = f"{BASE}/blocked-plates/{entry['id']}"
    changed = api_client(farid).patch(
        address, {"reason": "Drove into the barrier", "valid_until": "2030-01-01T00:00:00Z"}
    )
    assert (changed.status_code, changed.json()["reason"]) == (200, "Drove into the barrier")
    assert api_client(farid).patch(address, {"plate": OTHER}).json()["code"] == "read_only"
    assert api_client(farid).patch(address, {"match_key": "x"}).json()["code"] == "read_only"
    assert api_client(farid).patch(address, {"plate": PLATE}).status_code == 200
    assert api_client(farid).delete(address).status_code == 204
    assert api_client(farid).delete(address).status_code == 404
    assert get(farid, "blocked-plates").json()["count"] == 0
    assert get(farid, "blocked-plates", removed="true").json()["results"][0]["removed_by"] == "farid"
    history = list(ListChange.objects.order_by("pk").values_list("action", "by__username"))
    assert history == [("added", "farid"), ("changed", "farid"), ("removed", "farid")]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        pytest.param({"reason": ""}, "blank", "reason", id="empty reason"),
        pytest.param({"reason": "   "}, "blank", "reason", id="blank reason"),
        pytest.param({"reason": None}, "null", "reason", id="no reason"),
        pytest.param({"plate": "HELLO"}, "bad_plate", "plate", id="no plate"),
        pytest.param({"plate": "HR260K8337"}, "bad_plate", "plate", id="two plates"),
        pytest.param({"plate": "MMC8259"}, "bad_plate", "plate", id="an old mark"),
        pytest.param({"plate": "МН12АВ1234"}, "bad_plate", "plate", id="Cyrillic"),
        pytest.param({"valid_from": "2026-03-02T08:00:00"}, "naive_time", "valid_from", id="no offset"),
        pytest.param({"valid_from": "2030-01-02T00:00:00Z", "valid_until": "2030-01-01T00:00:00Z"}, "bad_dates",
                     "valid_until", id="ends first"),
        pytest.param({"severity": "loud"}, "invalid_choice", "severity", id="no severity"),
        pytest.param({"site": "nowhere"}, "does_not_exist", "site", id="no site"),
        pytest.param({"site": "chennai"}, "does_not_exist", "site", id="another's site"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_refused_by_name(plant: Plant, change: dict[str, Any], code: str, field: str) -> None:
    answer = post(plant.people.farid, "blocked-plates", listed(**change))
    assert (answer.status_code, answer.json()["code"], list(answer.json()["fields"])) == (400, code, [field])
    assert not ListEntry.objects.exists()


def test_only_a_superuser_lists_for_every_site(plant: Plant) -> None:
    refused = post(plant.people.kavita, "blocked-plates", listed(site=None))
    assert (refused.status_code, refused.json()["code"]) == (403, "everywhere_not_allowed")
    made = post(plant.people.root, "blocked-plates", listed(site=None)).json()
    assert made["site"] is None
    assert [get(user, "blocked-plates").json()["count"] for user in (plant.people.farid, plant.people.stranger)] == [
        1,
        1,
    ]
    address = f"{BASE}/blocked-plates/{made['id']}"
    assert api_client(plant.people.farid).get(address).status_code == 200
    assert api_client(plant.people.farid).patch(address, {"reason": "x"}).status_code == 403
    assert api_client(plant.people.farid).delete(address).status_code == 403
    assert api_client(plant.people.root).delete(address).status_code == 204


def test_a_stranger_neither_sees_nor_touches_an_entry(plant: Plant) -> None:
    entry = plant.block()
    address = f"{BASE}/blocked-plates/{entry.pk}"
    stranger = api_client(plant.people.stranger)
    codes = [stranger.get(address).status_code, stranger.patch(address, {"reason": "x"}).status_code]
    assert [*codes, stranger.delete(address).status_code] == [404, 404, 404]
    assert api_client(plant.people.gate).delete(address).status_code == 403
    assert api_client(plant.people.meena).post(f"{BASE}/blocked-plates", listed(plate=OTHER)).status_code == 403
    assert ListEntry.objects.kept().count() == 1


def test_the_same_plate_twice_is_a_clash_and_an_expired_one_makes_way(plant: Plant) -> None:
    post(plant.people.farid, "blocked-plates", listed(valid_until="2026-03-02T08:00:00Z"))
    assert post(plant.people.farid, "blocked-plates", listed(plate="MH12AB1234")).status_code == 201
    again = post(plant.people.farid, "blocked-plates", listed())
    assert (again.status_code, again.json()["code"]) == (409, "already_listed")
    assert get(plant.people.farid, "blocked-plates", in_force="true").json()["count"] == 1


def test_an_allowed_plate_says_of_what_kind_it_is(plant: Plant) -> None:
    kavita = plant.people.kavita
    assert post(kavita, "allowed-plates", listed()).json()["fields"] == {"kind": ["This field is required."]}
    made = post(kavita, "allowed-plates", listed(kind="contractor", direction="in")).json()
    assert (made["kind"], made["direction"]) == ("contractor", "in")
    assert get(kavita, "allowed-plates", kind="staff").json()["count"] == 0
    assert get(kavita, "blocked-plates").json()["count"] == 0
    assert api_client(kavita).get(f"{BASE}/blocked-plates/{made['id']}").status_code == 404


def test_answers_hold_text_as_it_is_and_headers_keep_it_json(plant: Plant) -> None:
    plant.block(reason="<script>alert(1)</script>")
    answer = get(plant.people.farid, "blocked-plates")
    assert answer["Content-Type"].startswith("application/json")
    assert json.loads(answer.content)["results"][0]["reason"] == "<script>alert(1)</script>"
