"""Blocked, allowed and watched plates: searched by any spelling, changed, expired, removed, imported, with history."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from factoryai.rest import Refusal
from factoryai.sites.csv_admin import CsvImportAdmin
from factoryai.sites.models import Site
from factoryai.sites.role_admin import RoleAdmin
from vehicles import imports
from vehicles.admin.showing import SiteFilter, SpelledSearch, badge, local
from vehicles.models import AllowedPlate, BlockedPlate, ListChange, ListEntry, WatchedPlate
from vehicles.querysets import GUARDS
from vehicles.services.lists import (
    CHANGEABLE,
    add_entry,
    change_entry,
    expire_entries,
    judge_listed_plate,
    remove_entries,
    require_scope,
)

LEVELS = {"in force": "ok", "later": "look", "expired": "calm", "removed": "calm"}


class ListEntryForm(forms.ModelForm):
    """One entry. What the service would refuse is said beside the field."""

    list_name = ""
    user: Any = None

    class Meta:
        model = ListEntry
        fields = ["plate", "site", "kind", "direction", "reason", "severity", "valid_from", "valid_until"]
        help_texts = {
            "plate": "However it is written: MH 12 AB 1234, mh12ab1234.",
            "valid_from": "On the clock of the site; empty: at once.",
            "valid_until": "On the clock of the site; empty: without end.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        begins, ends = cleaned.get("valid_from"), cleaned.get("valid_until")
        if begins and ends and ends <= begins:
            self.add_error("valid_until", "It ends before it begins.")
        if "kind" in self.fields and not cleaned.get("kind"):
            self.add_error("kind", "Say staff, visitor or contractor.")
        if self.instance.pk is None and cleaned.get("plate"):
            self._check_plate(cleaned["plate"], cleaned.get("site"))
        return cleaned

    def _check_plate(self, plate: str, site: Any) -> None:
        try:
            require_scope(self.user, site)
            judgement = judge_listed_plate(plate, site)
        except Refusal as refusal:
            self.add_error(next(iter(refusal.fields), "plate"), refusal.message)
            return
        same = ListEntry.objects.kept().filter(site=site, list=self.list_name, match_key=judgement.match_key)
        at = timezone.now()
        if any(entry.standing(at) != "expired" for entry in same):
            self.add_error("plate", f"{judgement.normalised} is on this list already: change that entry.")


class StandingFilter(SimpleListFilter):
    """The list opens on what is not removed."""

    title = "state"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in_force", "in force"), ("expired", "expired"), ("removed", "removed"), ("all", "all, with history")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": "not removed"}
        yield from others

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        at = timezone.now()
        if self.value() == "in_force":
            return rows.in_force(at)
        if self.value() == "expired":
            return rows.expired(at)
        if self.value() == "removed":
            return rows.filter(removed_at__isnull=False)
        return rows if self.value() == "all" else rows.kept()


def _ask_for_site(field: forms.ModelChoiceField, request: HttpRequest) -> None:
    """Everywhere is a superuser's to choose; who has one site need not choose at all."""
    if request.user.is_superuser:
        return
    field.required, field.help_text = True, ""
    own = Site.objects.visible_to(request.user, GUARDS)[:2]
    if len(own) == 1:
        field.initial = own[0]


class ListAdmin(SpelledSearch, RoleAdmin, CsvImportAdmin, admin.ModelAdmin):
    """One list. Removing keeps the entry as history; a plate that is changed is another entry."""

    list_name = ""
    view_roles = add_roles = change_roles = delete_roles = GUARDS
    csv_roles = GUARDS
    form = ListEntryForm
    also_searched = ("reason",)
    list_display = ["plate", "standing", "reason", "where", "severity", "ends", "last_seen", "added_by", "added"]
    list_filter = [StandingFilter, ("site", SiteFilter), "severity"]
    list_select_related = ["site", "added_by"]
    readonly_fields = ["standing", "last_seen", "added_by", "added", "history"]
    fieldsets = [
        (None, {"fields": ["plate", "site", "reason", "severity", ("valid_from", "valid_until")]}),
        ("Facts", {"fields": ["standing", "last_seen", "added_by", "added", "history"]}),
    ]  # fmt: skip
    actions = ["expire"]
    list_per_page = 50
    show_full_result_count = False

    class Media:
        css = {"all": ["css/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(list=self.list_name).with_last_seen(request.user)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.list_name, form.user = self.list_name, request.user
        if "site" in form.base_fields:
            _ask_for_site(form.base_fields["site"], request)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else self.fieldsets[:1]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self.readonly_fields, "plate", "site"] if obj else self.readonly_fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the site when there is one only."""
        given = super().get_changeform_initial_data(request)
        sites = SiteFilter.field_choices(None, None, request, self)  # type: ignore[arg-type]
        return {**({"site": sites[0][0]} if len(sites) == 1 else {}), **given}

    def _may(self, request: HttpRequest, roles: tuple[str, ...], row: Any = None) -> bool:
        """An entry for everywhere is a superuser's to change, and what is removed is nobody's."""
        if row is not None and roles is not self.view_roles and row.site_id is None and not request.user.is_superuser:
            return False
        return super()._may(request, roles, row)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(request, obj) and super().has_delete_permission(request, obj)

    def _is_open(self, request: HttpRequest, entry: Any) -> bool:
        if entry is None:
            return True
        is_foreign = entry.site_id is None and not request.user.is_superuser
        return entry.removed_at is None and not is_foreign

    def save_model(self, request: HttpRequest, obj: ListEntry, form: forms.ModelForm, change: bool) -> None:
        at, given = timezone.now(), form.cleaned_data
        if change:
            changes = {name: given[name] for name in form.changed_data if name in CHANGEABLE}
            if changes:
                change_entry(entry=obj, changes=changes, by=request.user, at=at)
            return
        fields = {name: given[name] for name in CHANGEABLE if name in given and name != "reason"}
        added = add_entry(
            list_name=self.list_name, plate=given["plate"], reason=given["reason"], site=given.get("site"),
            by=request.user, at=at, **fields,
        )  # fmt: skip
        obj.__dict__.update(added.__dict__)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What another person did between the look and the press is said, not shown as a fault."""
        try:
            with timezone.override(self._clock_of(request, object_id)):
                response = super().changeform_view(request, object_id, form_url, extra_context)
                return response.render() if isinstance(response, TemplateResponse) else response
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def _clock_of(self, request: HttpRequest, object_id: str | None) -> ZoneInfo:
        """Return the clock on which the times of a form are written: that of its site, else of the person's first."""
        sites = Site.objects.visible_to(request.user, GUARDS)
        chosen = request.POST.get("site") or request.GET.get("site") or ""
        entry = self.get_object(request, object_id) if object_id else None
        if entry is not None:
            return _zone(entry)
        site = sites.filter(pk=chosen).first() if chosen.isascii() and chosen.isdecimal() and len(chosen) < 19 else None
        site = site or sites.first()
        return site.zone if site else ZoneInfo("UTC")

    def delete_model(self, request: HttpRequest, obj: ListEntry) -> None:
        remove_entries(entries=[obj], by=request.user, at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        """Remove the ticked entries; Django's page has asked whether it is meant."""
        mine = [entry for entry in queryset if self.has_delete_permission(request, entry)]
        remove_entries(entries=mine, by=request.user, at=timezone.now())
        if left := len(queryset) - len(mine):
            self.message_user(
                request, f"{left} were left: they are removed already, or hold everywhere.", messages.WARNING
            )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name what is removed; nothing is deleted with it, for the rows stay as history."""
        return [str(entry) for entry in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    @admin.action(description="Let the selected end now", permissions=["change"])
    def expire(self, request: HttpRequest, entries: QuerySet) -> None:
        mine = [entry for entry in entries if self.has_change_permission(request, entry)]
        ended = expire_entries(entries=mine, by=request.user, at=timezone.now())
        self.message_user(request, f"{ended} ended.", messages.SUCCESS if ended else messages.WARNING)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The history of an entry is that of the list: it also knows what the API and tables changed."""
        number = object_id if object_id.isdecimal() else "0"
        return HttpResponseRedirect(f"{reverse('admin:vehicles_listchange_changelist')}?entry_number={number}")

    @admin.display(description="state")
    def standing(self, entry: ListEntry) -> SafeString:
        word = entry.standing(timezone.now())
        return badge(word, LEVELS[word])

    @admin.display(description="site", ordering="site")
    def where(self, entry: ListEntry) -> str:
        return entry.site.name if entry.site else "every site"

    @admin.display(description="until", ordering="valid_until")
    def ends(self, entry: ListEntry) -> str:
        return local(entry.valid_until, _zone(entry))

    @admin.display(description="added", ordering="added_at")
    def added(self, entry: ListEntry) -> str:
        return local(entry.added_at, _zone(entry))

    @admin.display(description="last seen")
    def last_seen(self, entry: Any) -> SafeString | str:
        if getattr(entry, "last_seen_at", None) is None:
            return "never"
        words = f"{local(entry.last_seen_at, _zone(entry))}, {entry.last_seen_camera or 'a camera that is gone'}"
        return format_html('<a href="{}?plate={}&amp;state=all">{}</a>', reverse("visits"), entry.plate, words)

    @admin.display(description="history")
    def history(self, entry: ListEntry) -> SafeString:
        lines = ListChange.objects.filter(entry_number=entry.pk).select_related("by").order_by("at", "pk")
        rows = (
            (
                local(line.at, _zone(entry), "%d %b %Y %H:%M:%S"),
                line.get_action_display(),
                line.by or "a program",
                _said(line),
            )
            for line in lines
        )
        return format_html_join("", "<div>{}: {} by {}{}</div>", rows)


def _said(line: ListChange) -> str:
    return f" ({line.what})" if line.what else ""


def _zone(entry: ListEntry) -> ZoneInfo:
    return entry.site.zone if entry.site else ZoneInfo("UTC")


@admin.register(BlockedPlate)
class BlockedPlateAdmin(ListAdmin):
    list_name = ListEntry.List.BLOCKED
    csv_importer = imports.BLOCKED


@admin.register(AllowedPlate)
class AllowedPlateAdmin(ListAdmin):
    list_name = ListEntry.List.ALLOWED
    csv_importer = imports.ALLOWED
    list_display = ["plate", "standing", "kind", "direction", *ListAdmin.list_display[2:4], *ListAdmin.list_display[5:]]
    list_filter = [StandingFilter, "kind", ("site", SiteFilter)]
    fieldsets = [
        (None, {"fields": ["plate", "site", "kind", "direction", "reason", ("valid_from", "valid_until")]}),
        ListAdmin.fieldsets[1],
    ]


@admin.register(WatchedPlate)
class WatchedPlateAdmin(ListAdmin):
    list_name = ListEntry.List.WATCH
    csv_importer = imports.WATCH


@admin.register(ListChange)
class ListChangeAdmin(RoleAdmin, admin.ModelAdmin):
    """Everything that was ever done to a list; nobody changes it."""

    view_roles = GUARDS
    list_display = ["at", "plate", "list", "action", "by", "what", "site"]
    list_filter = ["action", "list", ("site", SiteFilter)]
    list_select_related = ["by", "site"]
    search_fields = ["plate"]
    date_hierarchy = "at"
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "entry_number" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]
