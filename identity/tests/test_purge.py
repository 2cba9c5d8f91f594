"""The purge: what goes, what stays, what is said of it, and what a crash in between leaves behind."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from factoryai.alerts.models import Alert
from factoryai.alerts.services import acknowledge_alert, close_alert, raise_alert
from factoryai.rest import Refusal
from factoryai.sites.tests.factories import make_people
from identity import tasks
from identity.files import FolderFiles
from identity.models import PurgeRun, Retention, Sighting, Snapshot
from identity.rules import SFACE
from identity.services import purge
from identity.services.snapshots import check_snapshots, hold_snapshot, read_snapshot, release_snapshot
from identity.tests.factories import JPEG, NOON, make_employee, make_face, make_snapshot, make_unknown

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def files(tmp_path: Path) -> FolderFiles:
    return FolderFiles(tmp_path / "media")


def run(files: FolderFiles, at: dt.datetime = NOON, **options) -> dict:
    return purge.purge_snapshots(at=at, files=files, **options).as_dict()


def states() -> list[str]:
    return list(Snapshot.objects.order_by("captured_at").values_list("state", flat=True))


def test_a_snapshot_is_sealed_on_disk_and_read_back_as_it_was(people, files):
    snapshot = make_snapshot(people.site, files=files)
    on_disk = (files.root / snapshot.file_name).read_bytes()
    assert JPEG not in on_disk
    assert (read_snapshot(snapshot, files), snapshot.size_bytes) == (JPEG, len(on_disk))


def test_only_what_is_strictly_older_goes_and_the_bytes_said_are_the_bytes_freed(people, files):
    old, edge = (
        make_snapshot(people.site, days_old=90.00001, files=files),
        make_snapshot(people.site, days_old=90, files=files),
    )
    size = (files.root / old.file_name).stat().st_size
    assert run(files) == {
        "planned": 1, "deleted": 1, "freed_bytes": size, "freed_mb": 0.0, "held": 0, "missing": 0, "failed": 0,
    }  # fmt: skip
    old.refresh_from_db()
    assert (old.state, old.freed_bytes, old.deleted_at) == ("deleted", size, NOON)
    assert [entry.name for entry in files.entries()] == [edge.file_name]


def test_a_dry_run_gives_the_same_figures_and_deletes_nothing(people, files):
    for age in (100, 200, 10):
        make_snapshot(people.site, days_old=age, files=files)
    make_snapshot(people.site, days_old=300, files=files, is_held=True)
    files.remove(make_snapshot(people.site, days_old=400, files=files).file_name)
    dry = run(files, is_dry_run=True)
    assert len(list(files.entries())) == 4
    assert dry == run(files)
    assert (dry["planned"], dry["deleted"], dry["held"], dry["missing"]) == (3, 2, 1, 1)


def held_by_hand(snapshot, people):
    hold_snapshot(snapshot=snapshot, reason="Court", by=people.meena)


def enrolled(snapshot, people):
    face = make_face(make_employee(people.site))
    face.snapshot = snapshot
    face.save()


def under_review(snapshot, people):
    Sighting.objects.create(
        event_id="1", site=people.site, track=1, captured_at=NOON, recorded_at=NOON, outcome="review", reason="x",
        threshold=0.4, engine="local", model_version=SFACE.model, snapshot=snapshot, review="pending",
    )  # fmt: skip


def of_an_open_unknown_face(snapshot, people):
    make_unknown(people.site, snapshot=snapshot)


def of_an_open_alert(snapshot, people):
    alert = raise_alert(site=people.site, kind="x", severity="warning", title="x", key="x", at=NOON)
    Snapshot.objects.filter(pk=snapshot.pk).update(alert=alert)


@pytest.mark.parametrize("need", [held_by_hand, enrolled, under_review, of_an_open_unknown_face, of_an_open_alert])
def test_what_somebody_needs_is_held(people, files, need):
    needed, other = (make_snapshot(people.site, days_old=100, files=files) for _ in range(2))
    need(needed, people)
    report = run(files)
    assert (report["deleted"], report["held"]) == (1, 1)
    assert read_snapshot(Snapshot.objects.get(pk=needed.pk), files) == JPEG
    assert Snapshot.objects.get(pk=other.pk).state == "deleted"


def test_an_acknowledged_alert_still_holds_and_a_closed_one_does_not(people, files):
    snapshot = make_snapshot(people.site, days_old=100, files=files)
    of_an_open_alert(snapshot, people)
    acknowledge_alert(alert=Alert.objects.get(), by=people.farid, note="", at=NOON)
    assert run(files)["held"] == 1
    close_alert(site=people.site, key="x", at=NOON)
    assert run(files)["deleted"] == 1


def test_a_released_snapshot_goes_with_the_next_purge(people, files):
    snapshot = make_snapshot(people.site, days_old=100, files=files)
    held_by_hand(snapshot, people)
    assert run(files)["deleted"] == 0
    release_snapshot(snapshot=snapshot)
    assert run(files)["deleted"] == 1
    with pytest.raises(Refusal, match="deleted"):
        held_by_hand(snapshot, people)


def test_a_site_may_keep_one_kind_longer_and_another_shorter(people, files):
    Retention.objects.create(site=people.site, kind="sighting", days=30)
    Retention.objects.create(site=people.site, kind="unknown", days=365)
    kept = [
        make_snapshot(people.site, days_old=100, kind="unknown", files=files),
        make_snapshot(people.other_site, days_old=40, files=files),
    ]
    gone = [
        make_snapshot(people.site, days_old=40, files=files),
        make_snapshot(people.other_site, days_old=100, kind="unknown", files=files),
    ]
    assert run(files)["deleted"] == 2
    assert {row.pk for row in Snapshot.objects.filter(state="stored")} == {row.pk for row in kept}
    assert {row.pk for row in Snapshot.objects.filter(state="deleted")} == {row.pk for row in gone}


def test_an_age_that_is_given_stands_for_every_rule(people, files):
    Retention.objects.create(site=people.site, kind="sighting", days=365)
    make_snapshot(people.site, days_old=11, files=files)
    assert run(files, older_than_days=10)["deleted"] == 1
    with pytest.raises(Refusal, match="a day"):
        run(files, older_than_days=0)


def test_a_purge_of_one_site_leaves_the_others_alone(people, files):
    mine, foreign = (make_snapshot(site, days_old=100, files=files) for site in (people.site, people.other_site))
    assert run(files, sites=[people.site])["deleted"] == 1
    assert Snapshot.objects.get(pk=foreign.pk).state == "stored"
    assert Snapshot.objects.get(pk=mine.pk).state == "deleted"


def test_a_link_is_failed_and_left_and_the_others_go(people, files, tmp_path):
    outside = tmp_path / "payroll.csv"
    outside.write_text("do not touch")
    linked, _ = (make_snapshot(people.site, days_old=100, files=files) for _ in range(2))
    files.remove(linked.file_name)
    (files.root / linked.file_name).symlink_to(outside)
    dry = run(files, is_dry_run=True)
    assert dry == run(files)
    assert (dry["deleted"], dry["failed"]) == (1, 1)
    assert outside.read_text() == "do not touch"


class DyingFiles(FolderFiles):
    """A folder at which the process dies after a number of unlinks, as by kill -9: nothing after it is done."""

    def __init__(self, root: Path, lives: int) -> None:
        super().__init__(root)
        self.lives = lives

    def remove(self, name: str) -> int | None:
        if not self.lives:
            raise KeyboardInterrupt
        self.lives -= 1
        return super().remove(name)


def test_a_run_that_was_killed_is_finished_by_the_next(people, files):
    for _ in range(5):
        make_snapshot(people.site, days_old=100, files=files)
    with pytest.raises(KeyboardInterrupt):
        purge.purge_snapshots(at=NOON, files=DyingFiles(files.root, 2))
    assert states() == ["deleting"] * 5
    report = run(files)
    assert (report["deleted"], report["missing"], states()) == (3, 2, ["deleted"] * 5)
    assert list(files.entries()) == []


class TwoAtOnce(FolderFiles):
    """A folder in which a second purge runs from end to end while the first is at its second file."""

    second: dict | None = None

    def remove(self, name: str) -> int | None:
        freed = super().remove(name)
        if self.second is None:
            self.second = {}
            self.second = run(FolderFiles(self.root))
        return freed


def test_two_runs_at_once_count_each_file_once(people, files):
    sizes = {make_snapshot(people.site, days_old=100, files=files).size_bytes for _ in range(4)}
    place = TwoAtOnce(files.root)
    first = run(place)
    assert (first["deleted"], place.second["deleted"]) == (1, 3)
    assert (first["missing"], place.second["missing"]) == (3, 1)
    assert {row.freed_bytes for row in Snapshot.objects.filter(state="deleted")} == sizes
    assert sum(row.freed_bytes for row in Snapshot.objects.all()) == first["freed_bytes"] + place.second["freed_bytes"]


@pytest.mark.parametrize("jump", [dt.timedelta(days=2, hours=1), dt.timedelta(days=-1, hours=-1)], ids=str)
def test_a_clock_that_jumped_is_not_believed_at_once(people, files, jump):
    run(files)
    make_snapshot(people.site, days_old=100, files=files)
    with pytest.raises(Refusal) as refused:
        run(files, NOON + jump, is_dry_run=True)
    assert (refused.value.code, refused.value.status, PurgeRun.objects.count()) == ("clock_jumped", 409, 1)
    for minutes in (0, 1, 50):
        with pytest.raises(Refusal):
            run(files, NOON + jump + dt.timedelta(minutes=minutes))
    assert states() == ["stored"]
    assert run(files, NOON + jump + dt.timedelta(days=1))["deleted"] == 1


def test_a_clock_that_was_set_right_again_purges_at_once(people, files):
    run(files)
    with pytest.raises(Refusal):
        run(files, NOON + dt.timedelta(days=400))
    assert run(files, NOON + dt.timedelta(days=1))["planned"] == 0
    with pytest.raises(Refusal):
        run(files, NOON + dt.timedelta(days=401))


def test_a_jump_that_somebody_vouches_for_is_believed(people, files):
    run(files)
    assert run(files, NOON + dt.timedelta(days=30), accepts_clock=True)["planned"] == 0


class FullDisk(FolderFiles):
    def free_bytes(self) -> int:
        return purge.NEARLY_FULL_BYTES - 1


def test_a_full_disk_with_nothing_to_delete_is_an_alarm_until_something_goes(people, tmp_path):
    disk = FullDisk(tmp_path / "media")
    held = make_snapshot(people.site, days_old=100, files=disk, is_held=True)
    run(disk)
    alert = Alert.objects.get(site=people.site, kind="disk_nearly_full")
    assert (alert.severity, "1 held" in alert.detail) == ("critical", True)
    release_snapshot(snapshot=held)
    run(disk)
    alert.refresh_from_db()
    assert alert.state == "closed"


def test_both_kinds_of_orphans_are_reported_and_repaired_on_request(people, files, settings):
    settings.MEDIA_PLACE = str(files.root)
    made = make_snapshot(people.site, files=files)
    lost = make_snapshot(people.site, files=files)
    files.remove(lost.file_name)
    orphan = make_snapshot(people.site, files=files)
    Snapshot.objects.filter(pk=orphan.pk).delete()
    stuck = make_snapshot(people.site, files=files, state="pending")
    (files.root / "notes.txt").write_text("mine")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    check = check_snapshots(at=later, files=files)
    assert (check.missing, check.orphans) == ([lost.file_name], [orphan.file_name])
    assert (check.stuck, check.foreign) == ([stuck.file_name], ["notes.txt"])
    assert len(list(files.entries())) == 4
    check_snapshots(at=later, files=files, is_repair=True)
    assert {entry.name for entry in files.entries()} == {made.file_name, "notes.txt"}
    after = check_snapshots(at=later, files=files)
    assert (after.missing, after.orphans, after.stuck) == ([], [], [])


def test_a_file_just_written_is_no_orphan_yet(people, files):
    snapshot = make_snapshot(people.site, files=files)
    Snapshot.objects.filter(pk=snapshot.pk).delete()
    assert check_snapshots(at=dt.datetime.now(dt.UTC), files=files).is_clean


def test_the_commands_say_what_was_done(people, files, settings):
    settings.MEDIA_PLACE = str(files.root)
    make_snapshot(people.site, days_old=10_000, files=files)
    said = io.StringIO()
    call_command("purge_snapshots", "--dry-run", stdout=said)
    call_command("purge_snapshots", stdout=said)
    call_command("check_snapshots", stdout=said)
    dry, wet, check = said.getvalue().splitlines()
    assert (dry[:14], wet[:11]) == ("Would delete 1", "Deleted 1 o")
    assert dry.removeprefix("Would delete") == wet.removeprefix("Deleted")
    assert check.startswith("0 rows, 0 files;")


def test_the_commands_end_badly_when_something_is_wrong(people, files, settings):
    settings.MEDIA_PLACE = str(files.root)
    files.remove(make_snapshot(people.site, files=files).file_name)
    with pytest.raises(SystemExit):
        call_command("check_snapshots", stdout=io.StringIO())
    PurgeRun.objects.create(started_at=NOON - dt.timedelta(days=900))
    with pytest.raises(CommandError, match="--accept-clock"):
        call_command("purge_snapshots", stdout=io.StringIO())


def test_the_weekly_job_says_what_does_not_fit(people, files, settings):
    settings.MEDIA_PLACE = str(files.root)
    files.remove(make_snapshot(people.site, files=files).file_name)
    said = {"rows": 1, "files": 0, "missing": 1, "orphans": 0, "stuck": 0, "foreign": 0}
    assert tasks.check_snapshots() == said


def test_the_nightly_job_purges(people, files, settings):
    settings.MEDIA_PLACE = str(files.root)
    make_snapshot(people.site, days_old=10_000, files=files)
    assert tasks.purge_snapshots()["deleted"] == 1
