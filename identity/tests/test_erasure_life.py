"""Erasure over any life: photos, sightings, unknown faces and holds come, and erasures may die at any file."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from factoryai.rest import Refusal
from factoryai.sites.tests.factories import make_site
from identity.files import FolderFiles
from identity.models import Employee, Face, PurgeRun, Sighting, Snapshot, UnknownFace
from identity.rules import SFACE
from identity.services.erasure import erase_biometrics, find_traces
from identity.services.purge import purge_snapshots
from identity.services.snapshots import hold_snapshot
from identity.tests.factories import NOON, make_employee, make_face, make_snapshot, make_unknown, quick_folder, unit
from identity.tests.test_purge import DyingFiles

WHO = st.integers(0, 1)


class Erasing(RuleBasedStateMachine):
    """Two people; each has one face, ``unit(n)``, that all their photos and unknown faces show."""

    def __init__(self) -> None:
        super().__init__()
        for model in (Sighting, UnknownFace, Face, Snapshot, PurgeRun):
            model.objects.all().delete()
        self.site = make_site()
        self.people = [make_employee(self.site, name) for name in ("Ravi", "Amit")]
        self.folder = quick_folder()
        self.files = FolderFiles(self.folder / "media")
        self.events = 0
        self.counts = [0, 0]

    def teardown(self) -> None:
        Sighting.objects.all().delete()
        Employee.objects.filter(pk__in=[person.pk for person in self.people]).delete()
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(who=WHO)
    def enrol(self, who: int) -> None:
        make_face(self.people[who], unit(who), self.files)
        self.counts[who] += 1

    @rule(who=WHO)
    def sight(self, who: int) -> None:
        self._sight(make_snapshot(self.site, files=self.files), employee=self.people[who])
        self.counts[who] += 1

    @rule(who=WHO)
    def sight_as_a_stranger(self, who: int) -> None:
        """An unknown face can only be told to be the person's while there is a photo to compare it with."""
        if not self.people[who].faces.exists():
            self.enrol(who)
        snapshot = make_snapshot(self.site, kind="unknown", files=self.files)
        self._sight(snapshot, unknown_face=make_unknown(self.site, unit(who), snapshot=snapshot))
        self.counts[who] += 1

    def _sight(self, snapshot: Snapshot, **whose: object) -> None:
        self.events += 1
        Sighting.objects.create(
            event_id=str(self.events), site=self.site, track=1, captured_at=NOON, recorded_at=NOON, outcome="known",
            reason="x", threshold=0.4, engine="local", model_version=SFACE.model, snapshot=snapshot, **whose,
        )  # fmt: skip

    @rule(who=WHO)
    def hold_the_newest(self, who: int) -> None:
        newest = Snapshot.objects.filter(sightings__employee=self.people[who]).order_by("-created_at").first()
        if newest:
            try:
                hold_snapshot(snapshot=newest, reason="x", by="x")
            except Refusal:
                return

    @rule(who=WHO)
    def erase(self, who: int) -> None:
        held = Snapshot.objects.filter(is_held=True, state="stored").count()
        erased = erase_biometrics(employee=self.people[who], at=NOON, files=self.files)
        assert erased.is_proven, erased.traces
        assert find_traces(employee=self.people[who], vectors=[unit(who)], files=self.files) == []
        assert Snapshot.objects.filter(is_held=True, state="stored").count() == held
        self.counts[who] = 0
        others_held = Snapshot.objects.filter(is_held=True, sightings__employee=self.people[1 - who]).count()
        left = Snapshot.objects.filter(is_held=False, state="stored").count()
        assert left == self.counts[1 - who] - others_held

    @rule(who=WHO, lives=st.integers(0, 3))
    def erase_and_die(self, who: int, lives: int) -> None:
        try:
            erase_biometrics(employee=self.people[who], at=NOON, files=DyingFiles(self.files.root, lives))
        except KeyboardInterrupt:
            assert not Face.objects.filter(employee=self.people[who]).exists()
        self.counts[who] = 0

    @rule()
    def purge(self) -> None:
        purge_snapshots(at=NOON, files=self.files)
        assert not Snapshot.objects.filter(state="deleting").exists()
        named = {row.file_name for row in Snapshot.objects.filter(state="stored")}
        assert {entry.name for entry in self.files.entries()} == named

    @invariant()
    def what_belongs_to_somebody_else_is_complete(self) -> None:
        """Everything that came for a person since the last erasure of theirs is there, whoever else was erased."""
        for who, person in enumerate(self.people):
            faces = Face.objects.filter(employee=person)
            sightings = Sighting.objects.filter(employee=person)
            strangers = [row for row in UnknownFace.objects.exclude(mean=None) if row.mean @ unit(who) > 0.9]
            assert faces.count() + sightings.count() + len(strangers) == self.counts[who]
            for row in (*faces, *sightings, *strangers):
                assert row.snapshot.state == "stored"
                assert self.files.size(row.snapshot.file_name)


@pytest.mark.django_db
def test_whatever_happens_an_erasure_takes_all_of_one_person_and_nothing_of_another() -> None:
    limits = settings(max_examples=25, stateful_step_count=20, deadline=None)
    run_state_machine_as_test(Erasing, settings=limits)
