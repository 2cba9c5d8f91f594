"""Sites and people: a person's roles are lines of the person, and a site shows who works there."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from factoryai.sites.models import Membership, Site

User = get_user_model()


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 1
    autocomplete_fields = ["user", "site"]


@admin.register(Site)
class SiteAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "timezone", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug", "timezone", "is_active"]
    inlines = [MembershipInline]
    show_facets = admin.ShowFacets.ALWAYS

    def get_readonly_fields(self, request: HttpRequest, obj: Site | None = None) -> list[str]:
        """A site keeps its slug: addresses and devices refer to it."""
        return ["slug"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Site | None = None) -> dict[str, list[str]]:
        return {} if obj else {"slug": ["name"]}


class PersonAdmin(UserAdmin):
    list_display = ["username", "full_name", "roles", "is_active", "is_staff", "last_login"]
    list_filter = ["memberships__site", "memberships__role", "is_active", "is_staff", "is_superuser"]
    inlines = [MembershipInline]
    show_facets = admin.ShowFacets.ALWAYS
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("May", {"fields": ["is_active", "is_staff", "is_superuser"]}),
        ("Finer rights in this administration", {"classes": ["collapse"], "fields": ["groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("memberships__site")

    @admin.display(description="name")
    def full_name(self, person: User) -> str:
        return person.get_full_name()

    @admin.display(description="roles")
    def roles(self, person: User) -> str:
        if person.is_superuser:
            return "everything"
        return ", ".join(f"{held.get_role_display()} ({held.site})" for held in person.memberships.all())

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list:
        """Roles come after the account is made: the first form asks for a name and a password only."""
        return self.inlines if obj else []


admin.site.unregister(User)
admin.site.register(User, PersonAdmin)
