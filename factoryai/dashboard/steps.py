"""The first steps of an installation: what is there already, and what the person may do about the rest."""

from __future__ import annotations

from dataclasses import dataclass

from attendance.models import Assignment
from factoryai.dashboard.asker import Asker
from factoryai.dashboard.forms import CameraForm, PersonForm, ShiftForm, SiteForm, StepForm
from factoryai.embedded.logins import DEMO_SITE
from factoryai.sites.models import Role, Site
from identity.models import Employee, Face
from streaming.models import Camera

DISMISSED = "first-steps"
"""The cookie of a browser whose person wants to see the steps no more."""

DESK = (Role.HR, Role.MANAGER)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a working installation has; ``form`` does it on the spot, once what it builds on is there."""

    key: str
    title: str
    why: str
    is_done: bool
    form: type[StepForm]
    found: str = ""


def own_sites(asker: Asker) -> list[Site]:
    """Return the shown sites that are not the demonstration."""
    return [site for site in asker.choice.sites if site.slug != DEMO_SITE]


def first_steps(asker: Asker) -> list[Step]:
    """Return the steps that concern the person, in their order: five queries. None for whom none does."""
    if not (asker.user.is_superuser or asker.may((Role.MANAGER,))):
        return []
    sites = own_sites(asker)
    names = ", ".join(site.name for site in sites[:3])
    cameras = Camera.objects.at_sites(site.pk for site in sites).count()
    people = Employee.objects.at_sites(site.pk for site in sites).count()
    faces = Face.objects.at_sites(site.pk for site in sites).values("employee").distinct().count()
    rosters = Assignment.objects.at_sites(site.pk for site in sites).exists()
    steps = [
        Step(
            "camera",
            "Add a camera",
            "Its picture is on the first page within a minute. The password is kept encrypted and never shown again.",
            bool(cameras),
            CameraForm,
            f"{cameras} so far",
        ),
        Step(
            "person",
            "Enrol a person",
            "A camera for attendance knows people by a photo. Three photos a person are best, one is enough to begin.",
            bool(faces),
            PersonForm,
            f"{faces} of {people} with a photo" if people else "",
        ),
        Step(
            "shift",
            "Set a shift",
            "Late, early and absent are judged by it. Whoever has none makes punches and no days.",
            rosters,
            ShiftForm,
        ),
    ]
    if asker.user.is_superuser:
        why = "Everything belongs to a site: cameras, people, shifts, and who may see them."
        steps.insert(0, Step("site", "Add your site", why, bool(sites), SiteForm, names))
    return steps


def steps_left(asker: Asker) -> list[Step]:
    """Return what is missing, for the reminder on the first page; nothing once the person has put it away."""
    if DISMISSED in asker.request.COOKIES:
        return []
    return [step for step in first_steps(asker) if not step.is_done]
