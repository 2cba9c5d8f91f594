"""Every address there is, asked of the code and not of a list: what is added is walked from then on, or fails."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator

ADMIN_PAGES = {"changelist": "L", "add": "A", "change": "C", "history": "H", "delete": "D"}
"""The pages of each model's admin and the letter each has in the table."""


def patterns(found: list[URLPattern | URLResolver] | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every address with its pattern, as it is written in the code."""
    for one in get_resolver().url_patterns if found is None else found:
        route = prefix + str(one.pattern)
        if isinstance(one, URLPattern):
            yield plain(route), one
        else:
            yield from patterns(one.url_patterns, route)


def operations() -> set[str]:
    """Return the operations of the schema as ``GET /api/v1/alerts``."""
    paths = SchemaGenerator().get_schema(public=True)["paths"]
    return {f"{method.upper()} {path}" for path, found in paths.items() for method in found if method != "parameters"}


def model_pages() -> set[str]:
    """Return the models that the administration has pages for, as ``alerts.alert``."""
    return {model._meta.label_lower for model in admin.site._registry}


def other_patterns() -> set[str]:
    """Return the patterns that are neither in the schema nor one of a model's five pages."""
    described = {simple(operation.split(" ", 1)[1].lstrip("/")) for operation in operations()}
    pages = {f"{label.replace('.', '_')}_{page}" for label in model_pages() for page in ADMIN_PAGES}
    return {
        route
        for route, pattern in patterns()
        if simple(route) not in described and pattern.name not in pages and not _is_short_form(route)
    }


def _is_short_form(route: str) -> bool:
    """Django's ``…/<object_id>/`` only leads on to ``…/change/``."""
    return route.startswith("admin/") and route.endswith("/<path:object_id>/") and "content_type" not in route


def plain(route: str) -> str:
    """Return an address with its patterns left out: ``^(?P<app_label>a|b)/$`` is ``<app_label>/``."""
    return re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route.replace("^", "").replace("$", ""))


def simple(route: str) -> str:
    """Return an address with every parameter written as ``{}``, whichever way it was written."""
    return re.sub(r"<[^>]+>|\{\w+\}", "{}", plain(route))
