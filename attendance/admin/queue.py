"""The review queue: what waits for HR, explained, with the picture beside it; excuse or confirm one or many."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from attendance.admin.local_time import SiteClock, clock_column
from attendance.admin.showing import HR, DepartmentFilter, NoteActionForm, SiteFilter, badge, local, month_link, picture
from attendance.models import Decision, Flag, Punch
from attendance.models.days import Review
from attendance.services.review import Decided, reopen_flag, review_flags
from attendance.services.watermarks import silent_sources
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from factoryai.sites.role_admin import RoleAdmin

LEVELS = {Review.PENDING: "look", Review.EXCUSED: "calm", Review.CONFIRMED: "bad"}


class ReviewFilter(SimpleListFilter):
    """The queue opens on what waits."""

    title = "review"
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*Review.choices, ("all", "all")]

    def choices(self, changelist: Any) -> Any:
        counts = self.counts(changelist) if changelist.add_facets else {}
        for value, label in self.lookup_choices:
            shown = f"{label} ({counts[value]})" if value in counts else label
            yield {
                "selected": (self.value() or Review.PENDING) == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": shown,
            }

    def counts(self, changelist: Any) -> dict[str, int]:
        """Count each state under the other filters, in one query."""
        rows = changelist.get_queryset(self.request, exclude_parameters=self.expected_parameters())
        found = dict(rows.order_by().values_list("review").annotate(Count("pk")))
        return {value: found.get(value, 0) for value in Review.values} | {"all": sum(found.values())}

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        self.request = request

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        value = self.value() or Review.PENDING
        return rows if value == "all" else rows.filter(review=value)


class WithPictures(ChangeList):
    """Adds the snapshot of the punch that each flag is about to the rows of the page: one query for the page."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        times = {(flag.day.employee_id, at) for flag in self.result_list if (at := flag.seen_at)}
        rows = Punch.objects.filter(employee__in={who for who, _ in times}, at__in={at for _, at in times})
        found = rows.exclude(snapshot=None).values_list("employee_id", "at", "snapshot")
        pictures = {(employee, at): snapshot for employee, at, snapshot in found}
        for flag in self.result_list:
            flag.picture = pictures.get((flag.day.employee_id, flag.seen_at))


class QueueDepartmentFilter(DepartmentFilter):
    path = "day__employee"


@admin.register(Flag)
class FlagAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = HR
    list_display = ["flag", "person", "department", "date", "shift", "why", "times", "snapshot", "decision"]
    list_display_links = None
    list_filter = [ReviewFilter, "kind", ("site", SiteFilter), QueueDepartmentFilter]
    search_fields = ["day__employee__name", "=day__employee__code"]
    search_help_text = "Name or code of the person"
    date_hierarchy = "shift_date"
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.ALWAYS
    action_form = NoteActionForm
    actions = ["excuse", "confirm", "take_back"]
    change_list_template = "admin/attendance/queue.html"
    rank = 1

    class Media:
        css = {"all": ["css/admin.css"]}
        js = ["js/review-queue.js"]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Say above the list which sources hold days back: nobody is absent before they have reported."""
        sites = Site.objects.visible_to(request.user, HR)
        silent = [
            f"{source} ({local(source.reported_until, source.site.zone, '%d %b %H:%M')})"
            for source in silent_sources(sites, timezone.now())
        ]
        context = {"title": "Flags to review", "silent": silent, **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Flag]:
        return super().get_queryset(request).with_names()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WithPictures

    @admin.display(description="flag", ordering="kind")
    def flag(self, flag: Flag) -> SafeString:
        minutes = f" {flag.minutes} min" if flag.minutes else ""
        return badge(f"{flag.get_kind_display()}{minutes}", "look" if flag.review == Review.PENDING else "calm")

    @admin.display(description="person", ordering="day__employee__name")
    def person(self, flag: Flag) -> SafeString:
        return month_link(flag.day.employee, flag.shift_date)

    @admin.display(description="department")
    def department(self, flag: Flag) -> str:
        return flag.day.employee.department or "—"

    @admin.display(description="date", ordering="shift_date")
    def date(self, flag: Flag) -> str:
        return f"{flag.shift_date:%a %d %b %Y}"

    @admin.display(description="shift")
    def shift(self, flag: Flag) -> str:
        return str(flag.day.version) if flag.day.version else "—"

    @admin.display(description="in – out")
    def times(self, flag: Flag) -> str:
        zone = flag.site.zone
        return f"{local(flag.day.first_in, zone, '%H:%M')} – {local(flag.day.last_out, zone, '%H:%M')}"

    @admin.display(description="picture")
    def snapshot(self, flag: Flag) -> SafeString | str:
        return picture(flag.picture)  # type: ignore[attr-defined]

    @admin.display(description="review", ordering="review")
    def decision(self, flag: Flag) -> SafeString | str:
        if flag.review == Review.PENDING:
            return "waiting"
        words = f"{flag.get_review_display()} by {flag.reviewed_by}"
        return badge(f"{words}: {flag.note}" if flag.note else words, LEVELS[Review(flag.review)])

    @admin.action(description="Excuse (with a note)", permissions=["review"])
    def excuse(self, request: HttpRequest, flags: QuerySet[Flag]) -> None:
        self._decide(request, flags, Review.EXCUSED)

    @admin.action(description="Confirm", permissions=["review"])
    def confirm(self, request: HttpRequest, flags: QuerySet[Flag]) -> None:
        self._decide(request, flags, Review.CONFIRMED)

    @admin.action(description="Take a decision back", permissions=["review"])
    def take_back(self, request: HttpRequest, flags: QuerySet[Flag]) -> None:
        result, at = Decided(), timezone.now()
        for flag in self._chosen(request, flags):
            try:
                reopen_flag(flag=flag, note=request.POST.get("note", ""), by=request.user, at=at)
            except Refusal as refusal:
                result.refused.append((flag, refusal))
            else:
                result.done += 1
        self._tell(request, result, "taken back")

    def _decide(self, request: HttpRequest, flags: QuerySet[Flag], decision: str) -> None:
        note, chosen = request.POST.get("note", ""), self._chosen(request, flags)
        result = review_flags(flags=chosen, decision=decision, note=note, by=request.user, at=timezone.now())
        self._tell(request, result, Review(decision).label)

    def _chosen(self, request: HttpRequest, flags: QuerySet[Flag]) -> list[Flag]:
        """Return the ticked flags, also those that somebody else has decided since the page was opened."""
        if request.POST.get("select_across") == "1":
            return list(flags)
        return list(self.get_queryset(request).filter(pk__in=request.POST.getlist("_selected_action")))

    def _tell(self, request: HttpRequest, result: Decided, word: str) -> None:
        if result.done:
            self.message_user(request, f"{result.done} {word}.", messages.SUCCESS)
        reasons: dict[str, int] = {}
        for _, refusal in result.refused:
            reasons[refusal.message] = reasons.get(refusal.message, 0) + 1
        for reason, count in reasons.items():
            self.message_user(request, f"{count} not {word}: {reason}", messages.WARNING)

    def has_review_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


@admin.register(Decision)
class DecisionAdmin(SiteClock, RoleAdmin, admin.ModelAdmin):
    view_roles = HR
    list_display = [clock_column("at", "decided"), "by", "decision", "kind", "employee", "shift_date", "note", "why"]
    list_filter = ["decision", "kind"]
    list_select_related = ["employee__site", "by"]
    search_fields = ["employee__name", "=employee__code", "note"]
    date_hierarchy = "at"
    show_full_result_count = False
