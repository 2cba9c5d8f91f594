"""Importing a table in the admin: first a dry run that lists every bad line, then the same lines for good."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from factoryai.csv_import import MOST_BYTES, Importer, Report, decode, read_table
from factoryai.sites.models import Site
from factoryai.sites.role_admin import holds


class ImportForm(forms.Form):
    """A file or pasted lines, for one site."""

    site = forms.ModelChoiceField(Site.objects.none())
    file = forms.FileField(required=False, help_text="CSV, as every spreadsheet saves it; at most 5 MB.")
    text = forms.CharField(
        required=False, label="or paste the lines", strip=False, widget=forms.Textarea(attrs={"rows": 8, "cols": 100})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if (file := cleaned.get("file")) is not None:
            if file.size > MOST_BYTES:
                raise forms.ValidationError("This file is larger than 5 MB; import it in parts.", code="too_large")
            cleaned["text"] = decode(file.read())
        if not cleaned.get("text", "").strip():
            raise forms.ValidationError("Choose a file or paste lines.", code="nothing")
        return cleaned


def run_import(importer: Importer, *, site: Site, text: str, by: Any, at: Any, is_dry: bool) -> Report:
    """Import the good lines of a table, or only say what would happen; the dry run does all of it and takes it back."""
    report = Report()
    lines = read_table(text, importer, report)
    with transaction.atomic():
        importer.run(site=site, lines=lines, report=report, by=by, at=at)
        if is_dry:
            transaction.set_rollback(True)
    report.bad.sort(key=lambda bad: bad.line)
    return report


class CsvImportAdmin:
    """Mix in before ``ModelAdmin``: a page *Import* beside the list, for ``csv_roles``."""

    csv_importer: Importer
    csv_roles: tuple[str, ...]
    change_list_template = "admin/import_change_list.html"

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.model._meta.app_label}_{self.model._meta.model_name}_import"  # type: ignore[attr-defined]
        view = self.admin_site.admin_view(self.import_view)  # type: ignore[attr-defined]
        return [path("import/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        may = holds(request, self.csv_roles)
        return super().changelist_view(request, {**(extra_context or {}), "may_import": may})  # type: ignore[misc]

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        if not holds(request, self.csv_roles):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None)
        form.fields["site"].queryset = sites = Site.objects.visible_to(request.user, self.csv_roles)  # type: ignore[attr-defined]
        form.fields["site"].initial = sites.first()
        report = None
        if request.method == "POST" and form.is_valid():
            is_dry = "_import" not in request.POST
            given = {"site": form.cleaned_data["site"], "text": form.cleaned_data["text"]}
            report = run_import(self.csv_importer, by=request.user, at=timezone.now(), is_dry=is_dry, **given)
            if not is_dry:
                return self._done(request, report)
        meta = self.model._meta  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": f"Import {self.csv_importer.title}",
            "opts": meta,
            "form": form,
            "importer": self.csv_importer,
            "report": report,
            "text": form.cleaned_data.get("text", "") if report else "",
            "list_url": reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"),
        }
        return TemplateResponse(request, "admin/import.html", context)

    def _done(self, request: HttpRequest, report: Report) -> HttpResponseRedirect:
        text = f"{report.added} added, {report.changed} changed, {report.unchanged} as they were."
        if report.bad:
            text = f"{text} {len(report.bad)} lines were left out."
        self.message_user(request, text, messages.WARNING if report.bad else messages.SUCCESS)  # type: ignore[attr-defined]
        return HttpResponseRedirect("../")
