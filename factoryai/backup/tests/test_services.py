"""A backup made in the middle of work, put back after a loss: on the database of the run, with files and keys."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tarfile
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from factoryai.backup.errors import BackupError
from factoryai.backup.postgres import last_of
from factoryai.backup.services import make_backup, restore_backup
from factoryai.embedded.folder import Occupied
from factoryai.sites.models import Site
from factoryai.sites.tests.factories import make_site
from identity.models import Snapshot
from identity.services.snapshots import keep_snapshot, read_snapshot
from streaming.models import Camera
from streaming.tests.factories import make_camera

JPEG = b"\xff\xd8 a face \xff\xd9"
PASSWORD = "Canary-7f3"
NOW = timezone.now()
OTHER_ENGINE = {"sqlite": "postgresql", "postgresql": "sqlite"}[connection.vendor]


@pytest.fixture
def place(tmp_path: Path, settings) -> Path:
    """A data folder of its own, with pictures in it."""
    data = tmp_path / "data"
    data.mkdir()
    settings.DATA_DIR, settings.MEDIA_PLACE = data, str(data / "media")
    (data / "field.key").write_text(settings.FIELD_KEYS[0])
    (data / "secret.key").write_text(settings.SECRET_KEY)
    return data


@pytest.fixture
def site(place: Path) -> Site:
    site = make_site()
    make_camera(site, "gate", username="viewer", password=PASSWORD)
    picture(site)
    return site


def picture(site: Site) -> Snapshot:
    return keep_snapshot(jpeg=JPEG, site=site, kind="event", reason="test", captured_at=NOW, at=NOW)


def content(archive: Path) -> bytes:
    """Every byte of an archive, unpacked."""
    import gzip

    with tarfile.open(archive) as tar:
        parts = [(item.name, tar.extractfile(item).read()) for item in tar]
    return b"\n".join(gzip.decompress(data) if name.endswith(".gz") else data for name, data in parts)


def end_strays() -> None:
    """End what threads and children of earlier tests left connected: a restore refuses while anybody else is."""
    if connection.vendor != "postgresql":
        return
    connection.close()
    connection.close_pool()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


@pytest.mark.django_db(transaction=True)
def test_what_was_lost_comes_back_as_it_was(site, place, tmp_path):
    end_strays()
    archive, number = tmp_path / "backup.tar", Site.objects.count()
    made = make_backup(target=archive, at=NOW)
    assert (made.pictures, made.has_keys) == (1, False)
    raw = content(archive)
    assert PASSWORD.encode() not in raw
    assert JPEG not in raw
    assert (place / "field.key").read_bytes() not in raw

    Camera.objects.all().delete()
    make_site("after-the-backup")
    shutil.rmtree(place / "media")
    late = picture(site)
    with pytest.raises(BackupError) as refusal:
        restore_backup(source=archive, at=NOW)
    assert refusal.value.code == "not_empty"
    assert Site.objects.count() == number + 1

    done = restore_backup(source=archive, at=NOW, is_forced=True)

    assert done.pictures == 1
    assert Site.objects.count() == number
    assert Camera.objects.get().password == PASSWORD
    assert read_snapshot(Snapshot.objects.get()) == JPEG
    assert f"media.before-{NOW:%Y%m%dT%H%M%S}" in done.kept
    assert (place / done.kept[-1] / late.file_name).exists()
    make_site("numbers-go-on")  # a sequence that was not put back would give a number twice
    make_camera(site, "yard")
    assert call_command("check") is None
    if connection.vendor == "sqlite":
        kept = Path(connection.settings_dict["NAME"]).with_name(done.kept[0])
        assert kept.stat().st_size > 0
        for path in kept.parent.glob(f"{kept.name}*"):
            path.unlink()


@pytest.mark.django_db(transaction=True)
def test_a_picture_purged_meanwhile_is_passed_over_and_its_row_says_so(site, place, tmp_path):
    gone = picture(site)
    (place / "media" / gone.file_name).unlink()
    archive = tmp_path / "backup.tar"
    assert make_backup(target=archive, at=NOW).pictures == 1


@pytest.fixture
def archive(db: None, site: Site, tmp_path: Path) -> Path:
    """A whole archive to be refused; made of SQLite's file or PostgreSQL's tables as others see them."""
    return tmp_path / "backup.tar"


def forge(target: Path, **changes: object) -> Path:
    """Write an archive whose manifest is not what this program would write."""
    from factoryai.backup.archive import MANIFEST, create
    from factoryai.backup.services import _manifest

    with create(target, is_forced=True) as writer:
        writer.add_bytes(MANIFEST, json.dumps({**_manifest(NOW), **changes}).encode())
    return target


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"format": 2}, "newer", id="a newer form"),
        pytest.param({"migrations": [["streaming", "9999_from_tomorrow"]]}, "newer", id="a newer version"),
        pytest.param({"engine": OTHER_ENGINE}, "other_engine", id="another kind of database"),
        pytest.param({"canary": Fernet(Fernet.generate_key()).encrypt(b"x").decode()}, "other_key", id="another key"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_change(archive, changes, code):
    with pytest.raises(BackupError) as refusal:
        restore_backup(source=forge(archive, **changes), at=NOW, is_forced=True)
    assert refusal.value.code == code
    assert Camera.objects.get().password == PASSWORD


def test_nothing_is_restored_while_the_installation_runs(archive, place):
    up = Occupied(place)
    up.take("http://127.0.0.1:8000/")
    try:
        with pytest.raises(BackupError, match="already runs") as refusal:
            restore_backup(source=forge(archive), at=NOW, is_forced=True)
    finally:
        up.release()
    assert refusal.value.code == "running"


def test_the_keys_are_in_it_only_when_asked_for_and_there(archive, place, settings):
    (place / "field.key").unlink()
    with pytest.raises(BackupError, match="keys are not in") as refusal:
        make_backup(target=archive, at=NOW, with_keys=True)
    assert refusal.value.code == "no_keys"
    assert not archive.exists()


def test_the_commands_say_what_is_wrong(archive, tmp_path):
    with pytest.raises(CommandError, match="There is no file"):
        call_command("restore", str(tmp_path / "nothing.tar"))
    archive.write_text("kept")
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", str(archive))
    assert archive.read_text() == "kept"


def test_a_media_folder_that_is_a_mount_point_is_refused(archive, settings):
    settings.MEDIA_PLACE = "/proc"
    with pytest.raises(BackupError, match="mount point"):
        restore_backup(source=forge(archive), at=dt.datetime.now(dt.UTC), is_forced=True)


def test_an_older_form_of_the_database_is_made_by_the_last_of_its_migrations():
    graph = MigrationLoader(None).graph
    applied = {("gone", "0001_initial"), *graph.forwards_plan(("streaming", "0001_initial"))}
    last = last_of(applied, graph)
    assert ("streaming", "0001_initial") in last
    assert not {("sites", "0001_initial"), ("gone", "0001_initial")} & set(last)
    assert {key for target in last for key in graph.forwards_plan(target)} == applied - {("gone", "0001_initial")}
