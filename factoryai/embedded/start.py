"""Starts an installation: data folder, database, logins, cameras, then its processes until it is told to stop."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from factoryai.embedded import address, cameras, database, folder, logins, staff
from factoryai.embedded.supervisor import Installation, Supervisor
from factoryai.settings import env
from identity.services.engines import let_go_of_nets

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wishes:
    """What was asked for on the command line."""

    host: str
    port: int
    is_demo: bool = True
    cameras: Sequence[cameras.NamedSource] = field(default_factory=list)


def have_keys(data_dir: Path | None, say: Say) -> None:
    """Prepare the data folder and its keys; start this program over when the settings have read others.

    Raises `CannotStartError`.
    """
    wanted = (data_dir or settings.DATA_DIR).expanduser().resolve()
    folder.prepare(wanted)
    made = folder.make_keys(wanted)
    if made:
        say(f"Made the keys of this installation: copy {' and '.join(made)} from {wanted} to another, safe place.")
    if made or wanted != settings.DATA_DIR:
        os.environ["FACTORYAI_DATA_DIR"] = str(wanted)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  the command line it came from


def start(wishes: Wishes, say: Say) -> None:
    """Run the installation until Ctrl-C. Raises `CannotStartError` before anything is started or touched."""
    os.umask(0o077)
    urls = address.urls(wishes.host, wishes.port)
    occupied = folder.Occupied(settings.DATA_DIR)
    occupied.take(urls[0])
    listener = address.listen(wishes.host, wishes.port)
    say(f"Factory AI. Data: {settings.DATA_DIR}")
    if database.is_empty():
        say("Making the database …")
    database.migrate()
    database.collect_static()
    with database.complaints_in_words():
        made = logins.make_superuser(settings.ADMIN_PASSWORD)
        slugs = _prepare_cameras(wishes)
        known = logins.demo_logins(settings.DATA_DIR) if wishes.is_demo else []
        say(f"  database  {database.describe()}")
    database.let_go()
    supervisor = Supervisor(
        Installation(
            folder=settings.DATA_DIR,
            listener=listener,
            redis_url=env.raw("REDIS_URL"),
            host_names=_host_names(wishes.host),
            camera_slugs=slugs,
        ),
        say,
    )
    supervisor.stop_on_signals()
    try:
        say(f"  broker    {supervisor.start_broker()}")
        if wishes.is_demo:
            _add_staff()
        _say_engines(say)
        supervisor.start_rest()
        _say_where(urls, [login for login in (made, *known) if login], wishes.host, say)
        supervisor.run()
    finally:
        say("Stopping …")
        supervisor.end()
        database.settle()
        occupied.release()
        say("Stopped.")


def _prepare_cameras(wishes: Wishes) -> Sequence[str]:
    """Bring the demonstration and the cameras of the command line into the database; return the slugs to wait for."""
    if wishes.is_demo:
        cameras.add_demo_cameras(logins.turn_demo_on(settings.DATA_DIR), at=timezone.now())
    else:
        logins.turn_demo_off(settings.DATA_DIR)
    for camera in wishes.cameras:
        cameras.ensure(camera)
    if settings.FIRST_CAMERA_URL:
        cameras.ensure_first(cameras.parse_first_camera(settings.FIRST_CAMERA_URL))
    return cameras.enabled_slugs()


def _add_staff() -> None:
    """Give the demonstration its staff; the connection is let go of before the processes that use it begin."""
    with database.complaints_in_words():
        site, at = logins.turn_demo_on(settings.DATA_DIR), timezone.now()
        staff.add_staff(site, at=at)
        staff.enrol_staff(site, at=at)
        let_go_of_nets()
    database.let_go()


def _host_names(host: str) -> str | None:
    """Return the host names the web answers to where none are set: on loopback only its own, against rebinding."""
    if env.raw("FACTORYAI_HOSTS"):
        return None
    return ",".join(address.LOOPBACK_NAMES) if address.is_loopback(host) else None


def _say_engines(say: Say) -> None:
    is_local = settings.FACE_ENGINE == "local"
    say(f"  faces     {'recognised on this machine' if is_local else 'AWS Rekognition, ' + settings.AWS_REGION}")
    say(f"  files     {env.text('FACTORYAI_MEDIA_URL', str(settings.DATA_DIR / 'media'))}")


def _say_where(urls: Sequence[str], people: Sequence[logins.Login], host: str, say: Say) -> None:
    say("")
    say(f"  Open {'  or  '.join(urls)}")
    for login in people:
        say(f"    {login.username:<8} {login.password or '(password changed since)':<26} {login.role}")
    if any(login.username == logins.SUPERUSER for login in people):
        say("    Keep the password of admin: it is shown this once. Another: python manage.py changepassword admin")
    if address.is_loopback(host):
        say("  Only this machine reaches it; --host 0.0.0.0 opens it to the network.")
    say("")
    say("Starting; the first pictures take a few seconds …")
