"""What the documents point at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
LINK = re.compile(r"""\]\(<?([^)\s>]+)[^)]*\)|(?:href|src|srcset)=["']([^"'\s]+)""")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#", re.IGNORECASE)


def links_of(text: str) -> list[str]:
    """Return where the links and pictures of a document lead within the project, without their fragments."""
    found = (markdown or html for markdown, html in LINK.findall(text))
    return [link.partition("#")[0] for link in found if not ELSEWHERE.match(link)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_relative_link_leads_somewhere(document):
    links = links_of(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize(
    ("text", "links"),
    [
        pytest.param("[a](docs/a.md#part)", ["docs/a.md"], id="a link with a fragment"),
        pytest.param("![a](<docs/a.png> 'title')", ["docs/a.png"], id="a picture with a title"),
        pytest.param('<img src="docs/a.png">', ["docs/a.png"], id="HTML"),
        pytest.param("[a](https://example.com) [b](#part) [c](mailto:a@b.c)", [], id="elsewhere and here"),
    ],
)
def test_links_are_found_however_they_are_written(text, links):
    assert links_of(text) == links
