"""The forms of the first steps: a few fields each, everything else has a default that can be changed later."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from attendance.models import Assignment
from attendance.services.rosters import assign_shift, save_shift
from factoryai.rest import Refusal
from factoryai.sites.models import Role, Site
from identity.models import Employee
from identity.services.enrolment import enrol_picture
from identity.services.people import save_employee
from streaming.models import Camera
from streaming.services import check_source, set_source
from streaming.sources import SourceError

PHOTO_BYTES = 10 * 1024 * 1024


class StepForm(forms.Form):
    """A step that can be done on the spot. ``roles`` None is for superusers only; `do` returns what was done."""

    roles: tuple[str, ...] | None = (Role.MANAGER,)
    button = "Add"
    step = ""

    def __init__(self, data: Any = None, files: Any = None, *, sites: Sequence[Site] = ()) -> None:
        super().__init__(data, files, prefix=self.step, label_suffix="")
        self.sites = sites
        if "site" in self.fields:
            self.fields["site"].queryset = Site.objects.at_sites(site.pk for site in sites)
            if len(sites) == 1:
                self.fields["site"].initial = sites[0]
                self.fields["site"].widget = self.fields["site"].hidden_widget()
        for name, field in self.fields.items():
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{self.step}-{name}_helptext"

    def do(self, *, by: Any, at: dt.datetime) -> str:
        raise NotImplementedError


class SiteForm(StepForm):
    step, roles, button = "site", None, "Add the site"
    name = forms.CharField(max_length=120, label="Name of the factory")
    timezone = forms.ChoiceField(
        label="Time zone", initial="Asia/Kolkata", help_text="Days, shifts and nights are cut on its clock."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc"))
        self.fields["timezone"].choices = [(name, name) for name in names]

    def do(self, *, by: Any, at: dt.datetime) -> str:
        name = self.cleaned_data["name"]
        site = Site(slug=_free_slug(Site, name, "site"), name=name, timezone=self.cleaned_data["timezone"])
        site.full_clean()
        site.save()
        return f"{site.name} is there."


class CameraForm(StepForm):
    step, button = "camera", "Add the camera"
    site = forms.ModelChoiceField(Site.objects.none(), empty_label=None)
    name = forms.CharField(max_length=120, help_text="What it sees: Main gate, Assembly hall.")
    url = forms.CharField(
        label="Address",
        max_length=500,
        strip=False,
        help_text="rtsp://user:password@192.168.1.20/stream1, as its manual or your installer says.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )
    roles_of = forms.MultipleChoiceField(
        label="It is for",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[("gate", "vehicles at a gate"), ("attendance", "attendance by faces"), ("occupancy", "people inside")],
    )

    def clean_url(self) -> Any:
        try:
            return check_source(self.cleaned_data["url"])
        except SourceError as error:
            raise ValidationError(str(error), code=error.code) from error

    def do(self, *, by: Any, at: dt.datetime) -> str:
        given = self.cleaned_data
        camera = Camera(
            site=given["site"],
            slug=_free_slug(Camera, given["name"], "camera"),
            name=given["name"],
            roles=given["roles_of"],
        )
        set_source(camera, given["url"])
        camera.save()
        return f"{camera.name} is added; its picture comes within a minute."


class PersonForm(StepForm):
    step, roles, button = "person", (Role.HR, Role.MANAGER), "Enrol"
    site = forms.ModelChoiceField(Site.objects.none(), empty_label=None)
    code = forms.CharField(max_length=40, label="Code", help_text="As on the badge or in the payroll.")
    name = forms.CharField(max_length=120)
    photo = forms.FileField(
        help_text="From the front, in good light, nobody else in the picture: JPEG or PNG.",
        widget=forms.ClearableFileInput(attrs={"accept": "image/jpeg,image/png"}),
    )

    def clean_photo(self) -> Any:
        if self.cleaned_data["photo"].size > PHOTO_BYTES:
            raise ValidationError("This picture is larger than 10 MB.", code="image_too_large")
        return self.cleaned_data["photo"]

    @transaction.atomic
    def do(self, *, by: Any, at: dt.datetime) -> str:
        given = self.cleaned_data
        employee = Employee.objects.filter(site=given["site"], code=given["code"]).first()
        if employee is None:
            employee = Employee(site=given["site"], code=given["code"], name=given["name"])
            employee.full_clean()
            save_employee(employee)
        elif employee.name != given["name"]:
            raise Refusal("code_taken", f"{employee.name} has this code. Write that name to add a photo.")
        enrol_picture(employee=employee, data=given["photo"].read(), by=by, at=at)
        return f"{employee.name} is enrolled."


class ShiftForm(StepForm):
    step, roles, button = "shift", (Role.HR, Role.MANAGER), "Set the shift"
    site = forms.ModelChoiceField(Site.objects.none(), empty_label=None)
    name = forms.CharField(max_length=60, label="Name of the shift", initial="Day")
    starts_at = forms.TimeField(initial="08:00", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    ends_at = forms.TimeField(
        initial="17:00",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="An end before the start lies on the next day.",
    )
    everybody = forms.BooleanField(
        label="Everybody who has no shift yet works it", required=False, initial=True, help_text="From today on."
    )

    @transaction.atomic
    def do(self, *, by: Any, at: dt.datetime) -> str:
        given = self.cleaned_data
        site, today = given["site"], at.astimezone(given["site"].zone).date()
        fields = {"starts_at": given["starts_at"], "ends_at": given["ends_at"], "effective_from": today}
        shift = save_shift(site=site, name=given["name"], fields=fields, by=by, at=at).shift
        without = Employee.objects.for_site(site).filter(is_active=True, assignments=None) if given["everybody"] else ()
        for employee in without:
            assign_shift(assignment=Assignment(employee=employee, shift=shift, from_date=today), at=at)
        return f"The shift {shift.name} is set, and {len(without)} people work it from today."


def _free_slug(model: Any, name: str, spare: str) -> str:
    """Return a slug of ``name`` that no row of ``model`` has."""
    base = slugify(name)[:40] or spare
    taken = set(model.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for n in range(1, len(taken) + 2) if (slug := base if n == 1 else f"{base}-{n}") not in taken)
