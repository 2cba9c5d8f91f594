"""How the admin shows people, times and decisions: times on the site's clock, states in words, pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.helpers import ActionForm
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from factoryai.sites.models import Role, Site
from identity.models import Employee

HR = (Role.HR, Role.MANAGER)


def local(at: datetime | None, zone: ZoneInfo, form: str = "%H:%M:%S") -> str:
    """Return an instant on the site's clock, a dash for none."""
    return f"{at.astimezone(zone):{form}}" if at else "—"


def is_id(text: str) -> bool:
    """Whether a query parameter can be the id of a row."""
    return text.isascii() and text.isdecimal() and len(text) < 19


def badge(word: str, level: str) -> SafeString:
    """Return a state as text on a ground that its level colours: ok, look, bad or calm."""
    return format_html('<span class="state-badge" data-level="{}">{}</span>', level, word)


def month_link(employee: Employee, day: Any) -> SafeString:
    """Return a person's name as a link to their month."""
    address = reverse("admin:attendance-month", args=[employee.pk, f"{day:%Y-%m}"])
    return format_html('<a href="{}">{}</a><br><small>{}</small>', address, employee.name, employee.code)


def picture(snapshot: Any) -> SafeString | str:
    """Return a snapshot beside the row, when the product keeps one under this id."""
    if snapshot is None:
        return "—"
    try:
        address = reverse("snapshot-picture", args=[snapshot])
    except NoReverseMatch:
        return "—"
    return format_html(
        '<a href="{}"><img class="row-picture" src="{}" alt="Snapshot" loading="lazy" width="64" height="64"></a>',
        address,
        address,
    )


class NoteActionForm(ActionForm):
    """The note that is kept with a decision stands beside the action."""

    note = forms.CharField(
        required=False,
        max_length=500,
        label="Note:",
        widget=forms.TextInput(attrs={"size": 40, "placeholder": "Why; kept with the decision", "data-note": ""}),
    )


def once(request: HttpRequest, name: str, ask: Callable[[], Any]) -> Any:
    """Ask once a request: the filters of a list are made again for every count beside them."""
    if not hasattr(request, name):
        setattr(request, name, ask())
    return getattr(request, name)


def _departments(request: HttpRequest) -> list[str]:
    names = Employee.objects.visible_to(request.user, HR).exclude(department="").order_by("department")
    return list(names.values_list("department", flat=True).distinct())


class DepartmentFilter(SimpleListFilter):
    """Departments of the sites that the person may see; ``path`` leads to the employee."""

    title = "department"
    parameter_name = "department"
    path = "employee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in once(request, "_departments", lambda: _departments(request))]

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        return rows.filter(**{f"{self.path}__department": self.value()}) if self.value() else rows

    def get_facet_counts(self, pk_attname: str, rows: QuerySet) -> dict[str, Count]:
        """Count by the department itself: one pass, where Django would ask a subquery for each."""
        field = f"{self.path}__department"
        return {
            f"{number}__c": Count(pk_attname, filter=Q(**{field: name}))
            for number, (name, _) in enumerate(self.lookup_choices)
        }


class RecentFilter(SimpleListFilter):
    """Lists that grow for years open on their last days; a date of the hierarchy lifts that."""

    title = "period"
    parameter_name = "period"
    field = "shift_date"
    days = 31

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "all")]

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        is_all = self.value() == "all"
        name = self.parameter_name
        yield {
            "selected": not is_all,
            "query_string": changelist.get_query_string(remove=[name]),
            "display": f"the last {self.days} days",
        }
        yield {"selected": is_all, "query_string": changelist.get_query_string({name: "all"}), "display": "all"}

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        is_dated = any(name.startswith(f"{self.field}__") for name in request.GET)
        if self.value() == "all" or is_dated:
            return rows
        return rows.filter(**{f"{self.field}__gte": timezone.now() - timedelta(days=self.days)})


class SiteFilter(admin.RelatedFieldListFilter):
    """Only the sites that the person works at, and no filter at all when it is one."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return once(request, "_sites", lambda: [(s.pk, s.name) for s in Site.objects.visible_to(request.user, HR)])
