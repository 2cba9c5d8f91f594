"""Every command of docs/api.md, read as a shell reads it and sent to the API: the guide works as it is printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.test import Client

from attendance.tests.factories import make_plant
from factoryai.alerts.tests.factories import blocked_plate
from factoryai.sites.models import Membership
from streaming.tests.factories import make_camera

GUIDE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
SERVER = "http://testserver"


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if block.startswith("curl ")]


def send(command: str, values: dict[str, str]):
    """Send what a curl command sends; an option that nobody knows here fails."""
    for name, value in values.items():
        command = command.replace(f"${name}", value)
    assert "$" not in command, command
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    method, body, headers, url = "", None, {}, ""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-d":
            body = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word != "-s":
            assert word.startswith(SERVER), word
            url = word.removeprefix(SERVER)
    method = method or ("POST" if body is not None else "GET")
    kind = headers.pop("Content-Type", "application/json")
    return Client().generic(method, url, body or "", content_type=kind, headers=headers)


@pytest.mark.django_db
def test_every_command_of_the_guide_works_in_its_order():
    plant = make_plant()
    for role in ("hr", "security", "device"):
        Membership.objects.create(user=plant.people.kavita, site=plant.site, role=role)
    make_camera(plant.site, "gate", roles=["gate"])
    values = {"SERVER": SERVER, "ALERT": str(blocked_plate(plant.site).pk)}
    found = []
    for command in commands():
        answer = send(command, values)
        assert answer.status_code in (200, 201), f"{command}\n{answer.status_code} {answer.content.decode()}"
        found.append(answer.json())
        values.update({name.upper(): found[-1][name] for name in ("access", "refresh") if name in found[-1]})
    assert len(found) == len(commands()) == 10
    rejected = [answer["rejected"] for answer in found if "rejected" in answer]
    assert rejected == [[{"index": 1, "code": "unknown_employee", "message": rejected[0][0]["message"]}]]
