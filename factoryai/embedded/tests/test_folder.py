"""The data folder is private, has its keys once, and serves one `up` at a time."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from factoryai.embedded import folder
from factoryai.embedded.errors import CannotStartError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_is_made_private(tmp_path):
    folder.prepare(tmp_path / "a" / "data")
    assert mode(tmp_path / "a" / "data") == 0o700
    assert (tmp_path / "a" / "data" / "logs").is_dir()
    assert os.listdir(tmp_path / "a" / "data") == ["logs"]


def test_a_folder_that_cannot_be_written_to_is_said_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStartError, match=r"cannot be written to .* --data-dir"):
        folder.prepare(tmp_path / "file" / "data")


def test_keys_are_made_once_and_only_their_user_reads_them(tmp_path):
    assert folder.make_keys(tmp_path) == ["secret.key", "field.key"]
    before = {name: (tmp_path / name).read_text() for name in folder.KEY_FILES}
    assert folder.make_keys(tmp_path) == []
    assert {name: (tmp_path / name).read_text() for name in folder.KEY_FILES} == before
    assert {mode(tmp_path / name) for name in folder.KEY_FILES} == {0o600}
    assert sorted(os.listdir(tmp_path)) == ["field.key", "secret.key"]


def test_the_field_key_seals_and_the_secret_key_is_long(tmp_path):
    folder.make_keys(tmp_path)
    Fernet((tmp_path / "field.key").read_text().strip())
    assert len((tmp_path / "secret.key").read_text().strip()) >= 50


def test_the_secrets_of_the_services_agree_and_stand_in_a_closed_folder(tmp_path):
    made = folder.make_service_secrets(tmp_path / "secrets")
    assert made == ["secret.key", "field.key", "postgres.password", "database.url"]
    password = (tmp_path / "secrets" / "postgres.password").read_text().strip()
    assert f":{password}@postgres:" in (tmp_path / "secrets" / "database.url").read_text()
    assert mode(tmp_path / "secrets") == 0o700
    assert {mode(tmp_path / "secrets" / name) for name in made} == {0o444}
    assert folder.make_service_secrets(tmp_path / "secrets") == []


def test_a_second_holder_is_told_who_the_first_is(tmp_path):
    first, second = folder.Occupied(tmp_path), folder.Occupied(tmp_path)
    first.take("http://127.0.0.1:8000/")
    with pytest.raises(CannotStartError, match=rf"process {os.getpid()}, http://127.0.0.1:8000/"):
        second.take("http://127.0.0.1:8001/")
    first.release()
    second.take("http://127.0.0.1:8001/")
    second.release()
