"""Settings: what makes no sense is refused with a hint, and the table in the documents is the truth."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.utils.module_loading import import_string

from factoryai import settings as module
from factoryai.checks import hint_for
from factoryai.env import Env, SettingError

ROOT = Path(module.__file__).resolve().parent.parent
LONG_KEY = "".join(chr(ord("a") + number % 26) for number in range(60))
PRODUCTION = {
    "FACTORYAI_MODE": "production",
    "FACTORYAI_SECRET_KEY": LONG_KEY,
    "FACTORYAI_FIELD_KEY": Fernet.generate_key().decode(),
    "FACTORYAI_HOSTS": "factory.example.com",
}
EMBEDDED = {"FACTORYAI_SECRET_KEY": LONG_KEY, "FACTORYAI_FIELD_KEY": PRODUCTION["FACTORYAI_FIELD_KEY"]}


@pytest.fixture
def settings_with(monkeypatch, tmp_path):
    """Return the settings as they would be with an environment."""

    def read(environment: dict[str, str]) -> dict[str, Any]:
        for name in [name for name in os.environ if name.startswith(("FACTORYAI_", "AWS_", "DATABASE_", "REDIS_"))]:
            monkeypatch.delenv(name)
        for name, value in {"FACTORYAI_DATA_DIR": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(module.__file__)

    return read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FACTORYAI_MODE", "producton"),
        ("FACTORYAI_DEBUG", "maybe"),
        ("FACTORYAI_FIELD_KEY", "not a key"),
        ("FACTORYAI_HOSTS", "https://factory.example.com"),
        ("FACTORYAI_HOSTS", "factory.example.com:8000"),
        ("FACTORYAI_CORS_ORIGINS", "app.example.com"),
        ("FACTORYAI_CORS_ORIGINS", "https://app.example.com/path"),
        ("FACTORYAI_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("FACTORYAI_CAMERA_NETWORKS", "192.168.1.0/24, somewhere"),
        ("DATABASE_URL", "mysql://host/name"),
        ("DATABASE_URL", "postgresql://host"),
        ("DATABASE_URL", "factoryai.sqlite3"),
        ("REDIS_URL", "http://localhost"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "unix://"),
        ("RTSP_URL", "http://camera/stream"),
        ("RTSP_URL", "rtsp://camera/a b"),
        ("FACTORYAI_FACE_ENGINE", "rekognicion"),
        ("AWS_REGION", "Mumbai"),
        ("AWS_ENDPOINT_URL_REKOGNITION", "rekognition.example.com"),
        ("FACTORYAI_FACE_COLLECTION", "my faces"),
        ("FACTORYAI_FACE_GROUND", "none"),
        ("FACTORYAI_MEDIA_URL", "media"),
        ("FACTORYAI_MEDIA_URL", "s3://"),
        ("FACTORYAI_MEDIA_URL", "ftp://host/folder"),
        ("FACTORYAI_EMAIL_URL", "mail.example.com"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_a_hint(settings_with, name, value):
    with pytest.raises(SettingError) as refusal:
        settings_with({**EMBEDDED, name: value})
    assert refusal.value.name == name
    assert re.match(r"(Write|Use|Remove|Make) ", refusal.value.hint)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("FACTORYAI_SECRET_KEY", "", id="no secret key"),
        pytest.param("FACTORYAI_FIELD_KEY", "", id="no field key"),
        pytest.param("FACTORYAI_SECRET_KEY", "short", id="short secret key"),
        pytest.param("FACTORYAI_SECRET_KEY", "a" * 60, id="plain secret key"),
        pytest.param("FACTORYAI_SECRET_KEY", f"django-insecure-{LONG_KEY}", id="default secret key"),
        pytest.param("FACTORYAI_DEBUG", "true", id="debugging"),
        pytest.param("FACTORYAI_HOSTS", "", id="no hosts"),
        pytest.param("FACTORYAI_HOSTS", "*", id="any host"),
    ],
)
def test_production_refuses_to_start_with(settings_with, name, value):
    assert settings_with(PRODUCTION)["IS_PRODUCTION"]
    with pytest.raises(SettingError):
        settings_with({**PRODUCTION, name: value})


def test_rekognition_needs_a_region(settings_with):
    with pytest.raises(SettingError, match="AWS_REGION"):
        settings_with({**EMBEDDED, "FACTORYAI_FACE_ENGINE": "rekognition"})
    assert settings_with({**EMBEDDED, "FACTORYAI_FACE_ENGINE": "rekognition", "AWS_REGION": "ap-south-1"})


def test_a_refusal_does_not_repeat_a_key(settings_with):
    with pytest.raises(SettingError) as refusal:
        settings_with({**EMBEDDED, "FACTORYAI_FIELD_KEY": "Canary-7f3"})
    assert "Canary-7f3" not in str(refusal.value)


def test_a_secret_may_come_from_a_file(settings_with, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(f"{LONG_KEY}\n")
    found = settings_with({"FACTORYAI_SECRET_KEY_FILE": str(secret), "FACTORYAI_FIELD_KEY": ""})
    assert found["SECRET_KEY"] == LONG_KEY


def test_a_secret_file_that_is_not_there_is_refused(settings_with, tmp_path):
    with pytest.raises(SettingError, match="FACTORYAI_SECRET_KEY_FILE"):
        settings_with({"FACTORYAI_SECRET_KEY_FILE": str(tmp_path / "nowhere")})


def test_the_environment_wins_over_the_file_beside_manage_py(tmp_path):
    (tmp_path / ".env").write_text("FACTORYAI_MODE=production\nRTSP_URL=rtsp://192.168.1.2/s\n")
    env = Env({"FACTORYAI_MODE": "embedded"}, tmp_path / ".env")
    assert (env.raw("FACTORYAI_MODE"), env.raw("RTSP_URL")) == ("embedded", "rtsp://192.168.1.2/s")


def test_a_slip_of_the_pen_is_noticed():
    env = Env({"FACTORYAI_HOST": "a", "FACTORYAI_HOSTS": "a", "FACTORYAI_MODE_FILE": "b", "PATH": "c"})
    env.items("FACTORYAI_HOSTS")
    env.known.add("FACTORYAI_MODE")
    assert env.strangers("FACTORYAI_") == ["FACTORYAI_HOST"]
    assert hint_for("FACTORYAI_HOST") == "Did you mean FACTORYAI_HOSTS?"


def test_the_documents_list_every_name_and_no_other():
    table = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == module.env.known


SERVICES = {
    "DATABASE_URL": "postgresql://factoryai:secret@localhost:1/factoryai",
    "REDIS_URL": "rediss://localhost:1/0",
}


def check_for_deployment(folder: Path, **services: str) -> subprocess.CompletedProcess[str]:
    """Run the deployment check of a production that has these services; it connects to none of them."""
    kept = {name: value for name, value in os.environ.items() if name not in SERVICES}
    environment = {**kept, **PRODUCTION, **services, "FACTORYAI_DATA_DIR": str(folder)}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_production_passes_the_deploy_checks_without_a_warning(tmp_path):
    done = check_for_deployment(tmp_path, **SERVICES)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("missing", "warning", "other"),
    [
        pytest.param("DATABASE_URL", "factoryai.W002", "factoryai.W003", id="SQLite"),
        pytest.param("REDIS_URL", "factoryai.W003", "factoryai.W002", id="no broker"),
    ],
)
def test_production_is_warned_of_what_only_one_machine_has(tmp_path, missing, warning, other):
    done = check_for_deployment(tmp_path, **{name: url for name, url in SERVICES.items() if name != missing})
    assert done.returncode != 0
    assert warning in done.stderr
    assert other not in done.stderr


@pytest.mark.parametrize("name", module.MIDDLEWARE)
def test_every_middleware_is_async(name):
    assert getattr(import_string(name), "async_capable", False)
