"""The jobs and how they went; their times are under Periodic tasks."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from factoryai.jobs.models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    list_display = [
        "name", "schedule", "last_result", "last_started_at", "last_finished_at", "next_due_at", "is_on_time", "missed",
        "last_summary",
    ]  # fmt: skip
    list_filter = ["last_result"]
    search_fields = ["name"]
    show_facets = admin.ShowFacets.ALWAYS

    @admin.display(boolean=True, description="on time")
    def is_on_time(self, job: Job) -> bool:
        return not job.is_late(timezone.now())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
