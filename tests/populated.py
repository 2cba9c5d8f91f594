"""Fills an installation so that every page has something to show: run inside it, ``Rig.shell`` does.

Plates and faces are drawn; nobody's picture is used.
"""

from __future__ import annotations

import base64
import datetime as dt

import cv2
import numpy as np
from django.contrib.auth import get_user_model
from django.utils import timezone

from attendance.models import Correction, PayPeriod, Source
from attendance.services.punches import NewPunch, record_punches, source_at
from factoryai.alerts.services import raise_alert
from factoryai.embedded.staff import DEVICE, add_staff
from factoryai.sites.models import Membership, Role, Site
from identity.models import Employee, UnknownFace
from identity.services.snapshots import keep_snapshot
from identity.tests.factories import make_unknown
from occupancy.models import Zone, ZoneLine
from occupancy.services.logs import NewLog, record_logs
from streaming.frames import Observation
from streaming.models import Camera
from tests.feed_rig import PASSWORD
from vehicles.services.lists import add_entry
from vehicles.services.reads import record_plate
from vehicles.tests.plates import Colours, draw_plate

PEOPLE = (("meena", Role.HR), ("kavita", Role.MANAGER))
BLOCKED = "MH12AB1234"
PLATES = (("KA05MJ4417", 0.97), ("MH14GT0908", 0.95), ("TN22CK5530", 0.58), (BLOCKED, 0.96))


def populate(site_slug: str = "pune", *, gate: str = "gate", hall: str = "hall") -> None:
    """Give a site with cameras ``gate`` and ``hall`` people, vehicles, counts, faces, alerts; Kavita has a second."""
    site, at = Site.objects.get(slug=site_slug), timezone.now()
    people = {name: _person(name, role, site) for name, role in PEOPLE}
    second = Site.objects.get_or_create(slug="nashik", defaults={"name": "Nashik"})[0]
    Membership.objects.get_or_create(user=people["kavita"], site=second, role=Role.MANAGER)
    get_user_model().objects.get_or_create(
        username="root", defaults={"is_staff": True, "is_superuser": True, "password": people["kavita"].password}
    )
    add_staff(site, at=at)
    _desk(site, people["meena"], at)
    _inside(site, at)
    _count(site, hall, at)
    _face(site, at)
    read_plates(site, gate, people["kavita"], at)
    raise_alert(
        site=site, kind="camera_offline", severity="warning", title="Paint shop is offline", at=at,
        detail="It does not answer: no route to 192.168.1.77.", key="camera-offline:paint-shop",
    )  # fmt: skip


def _person(name: str, role: str, site: Site) -> object:
    person, is_new = get_user_model().objects.get_or_create(username=name, defaults={"first_name": name.title()})
    if is_new:
        person.set_password(PASSWORD)
        person.save()
    Membership.objects.get_or_create(user=person, site=site, role=role)
    return person


def _desk(site: Site, by: object, at: dt.datetime) -> None:
    today = at.astimezone(site.zone).date()
    first = today.replace(day=1)
    PayPeriod.objects.create(
        site=site, first_date=first - dt.timedelta(days=30), last_date=first - dt.timedelta(days=1)
    )
    asha = Employee.objects.filter(site=site).order_by("code").first()
    Correction.objects.create(
        employee=asha, kind="add", at=at - dt.timedelta(days=1), direction="out", reason="The reader was dark",
        asked_by=by, asked_at=at,
    )  # fmt: skip


def _inside(site: Site, at: dt.datetime) -> None:
    """Let somebody come in and stay: the list for the assembly point is not empty."""
    nila = Employee.objects.get(site=site, code="1003")
    source = source_at(site=site, name=DEVICE, kind=Source.Kind.DEVICE)
    entry = NewPunch(nila.pk, at - dt.timedelta(minutes=20), "in", place="turnstiles")
    record_punches(rows=[entry], source=source, people={nila.pk: nila}, at=at)


def _count(site: Site, hall: str, at: dt.datetime) -> None:
    zone = Zone.objects.get_or_create(site=site, name="Assembly hall", defaults={"capacity": 40})[0]
    camera = Camera.objects.get(slug=hall)
    ZoneLine.objects.get_or_create(zone=zone, camera=camera, line="Door")
    start = at - dt.timedelta(hours=3)
    steps = ["in", "in", "in", "out"] * 17
    rows = [
        NewLog(f"populated-{number}", zone.pk, start + number * dt.timedelta(minutes=2), kind)
        for number, kind in enumerate(steps)
    ]
    record_logs(rows=rows, zones=[zone], source="populated", at=at)


def _face(site: Site, at: dt.datetime) -> None:
    for number in range(3):
        seen_at = at - dt.timedelta(minutes=7 * number + 2)
        unknown = make_unknown(site, first_seen_at=seen_at, last_seen_at=seen_at)
        snapshot = keep_snapshot(
            jpeg=jpeg_of(draw_face(number)),
            site=site,
            kind="unknown",
            reason="Nobody known",
            captured_at=seen_at,
            at=at,
        )
        UnknownFace.objects.filter(pk=unknown.pk).update(snapshot=snapshot)


def read_plates(site: Site, gate: str, by: object, at: dt.datetime) -> None:
    """Let the camera ``gate`` read `PLATES`; one is blocked, one was read without certainty."""
    Camera.objects.filter(slug=gate).update(roles=["gate"], direction="in")
    given = {"by": by, "at": at, "site": site}
    add_entry(list_name="blocked", plate=BLOCKED, reason="Theft of material, 12 March", **given)
    add_entry(list_name="allowed", plate=PLATES[0][0], reason="Works bus", kind="staff", **given)
    for number, (plate, confidence) in enumerate(PLATES):
        read_plate(gate, plate, confidence, at - dt.timedelta(minutes=3 * (len(PLATES) - 1 - number), seconds=4), at)


def read_plate(gate: str, plate: str, confidence: float, captured_at: dt.datetime, at: dt.datetime) -> None:
    """Record what the analyser of a gate would tell of one passage, with the picture of its plate."""
    picture = draw_plate([plate], Colours.COMMERCIAL if "TN" in plate else Colours.PRIVATE)
    data = {
        "track": f"t-{plate}-{captured_at.timestamp():.0f}", "plate": plate, "raw": plate, "confidence": confidence,
        "characters": [confidence] * len(plate), "candidates": [[plate, 0.9]], "box": [10, 20, 210, 70],
        "agreeing_reads": 3, "is_final": True, "direction": "in",
        "picture": base64.b64encode(jpeg_of(cv2.resize(picture, (360, 90)))).decode(),
    }  # fmt: skip
    record_plate(observation=Observation("plate", gate, captured_at.timestamp(), data), at=at)


def draw_face(number: int) -> np.ndarray:
    """Return a drawn head, BGR."""
    ground = [(96, 84, 70), (70, 96, 84), (84, 70, 96)][number % 3]
    picture = np.full((192, 192, 3), ground, np.uint8)
    skin = [(120, 160, 205), (90, 125, 170), (140, 175, 215)][number % 3]
    cv2.ellipse(picture, (96, 205), (84, 70), 0, 0, 360, (150, 110, 70), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (96, 92), (42, 54), 0, 0, 360, skin, -1, cv2.LINE_AA)
    cv2.ellipse(picture, (96, 62), (46, 34), 0, 180, 360, (40, 32, 28), -1, cv2.LINE_AA)
    for x in (80, 112):
        cv2.circle(picture, (x, 90), 5, (40, 32, 28), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (96, 118), (14, 6), 0, 0, 180, (60, 60, 130), 2, cv2.LINE_AA)
    return picture


def jpeg_of(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
