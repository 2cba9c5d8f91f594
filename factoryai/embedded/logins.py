"""The first logins of an installation: the superuser, and the people of the demonstration with their roles."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from django.contrib.auth import get_user_model
from django.db import transaction

from factoryai.embedded.folder import write_private
from factoryai.sites.models import Membership, Role, Site

SUPERUSER = "admin"
DEMO_SITE = "demo"
LOGINS_FILE = "demo-logins.json"
PASSWORD_BYTES = 9
"""72 random bits, twelve letters to type."""


@dataclass(frozen=True)
class Person:
    username: str
    first_name: str
    role: Role


DEMO_PEOPLE = (
    Person("meena", "Meena", Role.HR),
    Person("farid", "Farid", Role.SECURITY),
    Person("kavita", "Kavita", Role.MANAGER),
)


@dataclass(frozen=True)
class Login:
    """What to print: ``password`` is None when the person has changed it since."""

    username: str
    role: str
    password: str | None


@dataclass(frozen=True)
class _Kept:
    """One line of the file of demo logins; ``digest`` is the stored hash it belongs to."""

    password: str
    digest: str


def make_superuser(password: str) -> Login | None:
    """Make the superuser ``admin`` unless the installation has a superuser; return its login when it was made."""
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return None
    password = password or new_password()
    users.create_superuser(SUPERUSER, password=password)
    return Login(SUPERUSER, "everything", password)


def turn_demo_on(folder: Path) -> Site:
    """Make the demonstration's site and people, or give them back their access after `turn_demo_off`."""
    site, _ = Site.objects.get_or_create(slug=DEMO_SITE, defaults={"name": "Demo factory"})
    if not site.is_active:
        Site.objects.filter(pk=site.pk).update(is_active=True)
        get_user_model().objects.filter(username__in=_kept(folder)).update(is_active=True)
        site.refresh_from_db()
    for person in DEMO_PEOPLE:
        _make_person(person, site, folder)
    return site


@transaction.atomic
def turn_demo_off(folder: Path) -> None:
    """Close the demonstration's site, and with it its cameras, and the logins of its people."""
    Site.objects.filter(slug=DEMO_SITE).update(is_active=False)
    get_user_model().objects.filter(username__in=_kept(folder)).update(is_active=False)


def demo_logins(folder: Path) -> Sequence[Login]:
    """Return the logins of the demonstration's people, as far as they were made here."""
    kept = _kept(folder)
    digests = dict(get_user_model().objects.filter(username__in=kept).values_list("username", "password"))
    return [
        Login(
            person.username,
            person.role.label,
            kept[person.username].password if digests[person.username] == kept[person.username].digest else None,
        )
        for person in DEMO_PEOPLE
        if person.username in digests
    ]


def new_password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


@transaction.atomic
def _make_person(person: Person, site: Site, folder: Path) -> None:
    """Make one person, who can log in, unless somebody of that name is there already."""
    password = new_password()
    user, is_made = get_user_model().objects.get_or_create(
        username=person.username, defaults={"first_name": person.first_name}
    )
    if not is_made:
        return
    user.set_password(password)
    user.save(update_fields=["password"])
    Membership.objects.get_or_create(user=user, site=site, role=person.role)
    _keep(folder, person.username, _Kept(password, user.password))


def _kept(folder: Path) -> dict[str, _Kept]:
    path = folder / LOGINS_FILE
    if not path.is_file():
        return {}
    return {name: _Kept(**fields) for name, fields in json.loads(path.read_text(encoding="utf-8")).items()}


def _keep(folder: Path, username: str, login: _Kept) -> None:
    logins = {name: asdict(kept) for name, kept in {**_kept(folder), username: login}.items()}
    write_private(folder / LOGINS_FILE, json.dumps(logins, indent=2))
