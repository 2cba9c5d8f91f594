"""The purge over any life: pictures come, are held, lost, linked, purged by runs that may die at any file."""

from __future__ import annotations

import datetime as dt
import shutil

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from factoryai.rest import Refusal
from factoryai.sites.tests.factories import make_site
from identity.files import FolderFiles
from identity.models import PurgeRun, Snapshot
from identity.services.purge import purge_snapshots
from identity.services.snapshots import check_snapshots, hold_snapshot, release_snapshot
from identity.tests.factories import NOON, make_snapshot, quick_folder
from identity.tests.test_purge import DyingFiles

DAY = dt.timedelta(days=1)


class Purging(RuleBasedStateMachine):
    """The model: which snapshots are held, which names are links, and how many bytes the folder has given back."""

    snapshots = Bundle("snapshots")

    def __init__(self) -> None:
        super().__init__()
        Snapshot.objects.all().delete()
        PurgeRun.objects.all().delete()
        self.site = make_site()
        self.folder = quick_folder()
        self.files = FolderFiles(self.folder / "media")
        self.outside = self.folder / "payroll.csv"
        self.outside.write_text("do not touch")
        self.at, self.held, self.linked, self.lost = NOON, set(), set(), set()
        self.freed = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(target=snapshots, age=st.integers(0, 200))
    def keep(self, age: int) -> Snapshot:
        return make_snapshot(self.site, days_old=age + (NOON - self.at) / DAY, files=self.files)

    @rule(snapshot=snapshots)
    def hold(self, snapshot: Snapshot) -> None:
        try:
            hold_snapshot(snapshot=snapshot, reason="x", by="x")
        except Refusal:
            return
        self.held.add(snapshot.pk)

    @rule(snapshot=snapshots)
    def release(self, snapshot: Snapshot) -> None:
        release_snapshot(snapshot=snapshot)
        self.held.discard(snapshot.pk)

    @rule(snapshot=snapshots)
    def lose_the_file(self, snapshot: Snapshot) -> None:
        path = self.files.root / snapshot.file_name
        if path.is_file() and not path.is_symlink():
            path.unlink()
            self.lost.add(snapshot.pk)

    @rule(snapshot=snapshots)
    def put_a_link_in_its_place(self, snapshot: Snapshot) -> None:
        self.lose_the_file(snapshot=snapshot)
        if snapshot.pk in self.lost and not (self.files.root / snapshot.file_name).is_symlink():
            (self.files.root / snapshot.file_name).symlink_to(self.outside)
            self.linked.add(snapshot.pk)

    @rule(snapshot=snapshots)
    def repair(self, snapshot: Snapshot) -> None:
        check_snapshots(at=self.at, is_repair=True, files=self.files)

    @rule(days=st.integers(0, 1))
    def purge(self, days: int) -> None:
        self.at += days * DAY
        before = self._bytes()
        dry = purge_snapshots(at=self.at, files=self.files, is_dry_run=True).as_dict()
        assert self._bytes() == before
        wet = purge_snapshots(at=self.at, files=self.files).as_dict()
        assert wet == dry
        assert wet["freed_bytes"] == before - self._bytes()
        assert wet["planned"] == wet["deleted"] + wet["missing"] + wet["failed"]
        cut_off = self.at - 90 * DAY
        left = Snapshot.objects.filter(captured_at__lt=cut_off).exclude(state="deleted")
        assert {row.pk for row in left} <= self.held | self.linked

    @rule(lives=st.integers(0, 3))
    def purge_and_die(self, lives: int) -> None:
        before, freed = self._bytes(), 0
        try:
            report = purge_snapshots(at=self.at, files=DyingFiles(self.files.root, lives))
            freed = report.freed_bytes
        except KeyboardInterrupt:
            return
        assert freed == before - self._bytes()

    def _bytes(self) -> int:
        return sum(entry.size_bytes for entry in self.files.entries() if entry.is_ours)

    @invariant()
    def nothing_outside_is_touched(self) -> None:
        assert self.outside.read_text() == "do not touch"

    @invariant()
    def what_is_held_or_young_is_stored(self) -> None:
        for row in Snapshot.objects.all():
            is_young = row.captured_at >= self.at - 90 * DAY
            if (is_young or row.pk in self.held) and row.pk not in self.lost:
                assert row.state == "stored"
                assert (self.files.root / row.file_name).is_file()

    @invariant()
    def what_is_deleted_has_no_file(self) -> None:
        for row in Snapshot.objects.filter(state="deleted"):
            path = self.files.root / row.file_name
            assert path.is_symlink() or not path.exists()


@pytest.mark.django_db
def test_whatever_happens_in_between_held_and_young_pictures_stay_and_the_sums_are_true() -> None:
    limits = settings(max_examples=25, stateful_step_count=20, deadline=None)
    run_state_machine_as_test(Purging, settings=limits)
