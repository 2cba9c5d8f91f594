"""What the documents point at is there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

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


GUIDES = [path for path in DOCUMENTS if path.parent.name != "decisions"]
SPANS = re.compile(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
MANAGE = re.compile(r"manage\.py ([a-z_]+)([^|&;#\n`]*)")
MAKE = re.compile(r"\bmake ([a-z]+)\b")
MODULE = re.compile(r"python -m ([a-z_.]+)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
SETTING = re.compile(r"\bFACTORYAI_[A-Z_]+")
RUN = re.compile(r"make run[^\n]*ARGS=\"([^\"]*)\"")


def code_of(document: Path) -> str:
    """Return what a document sets as code, a span or block a line."""
    return "\n".join(block or span for block, span in SPANS.findall(document.read_text(encoding="utf-8")))


def options_of(command: str) -> set[str]:
    from django.core.management import get_commands, load_command_class

    apps = get_commands()
    assert command in apps, f"there is no command {command}"
    parser = load_command_class(apps[command], command).create_parser("manage.py", command)
    return {option for action in parser._actions for option in action.option_strings}


@pytest.mark.parametrize("document", GUIDES, ids=lambda path: path.name)
def test_every_command_that_a_document_names_is_there_with_its_options(document):
    code = code_of(document)
    used = [(name, set(OPTION.findall(rest))) for name, rest in MANAGE.findall(code)]
    used += [("up", set(OPTION.findall(options))) for options in RUN.findall(code)]
    unknown = {f"{name} {option}" for name, options in used for option in options - options_of(name)}
    assert unknown == set()


@pytest.mark.parametrize("document", GUIDES, ids=lambda path: path.name)
def test_every_target_module_and_setting_that_a_document_names_is_there(document):
    code = code_of(document)
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    known = set(SETTING.findall((PROJECT / "docs" / "configuration.md").read_text()))
    assert set(MAKE.findall(code)) <= targets
    assert [name for name in MODULE.findall(code) if importlib.util.find_spec(name) is None] == []
    assert {name.removesuffix("_FILE") for name in SETTING.findall(code) if not name.endswith("_")} <= known


def test_every_alert_that_is_raised_is_explained():
    """By its kind, as the sources write it where they raise one."""
    sources = [path for path in PROJECT.rglob("services/*.py") if ".venv" not in path.parts]
    sources += [*PROJECT.glob("*/services.py"), PROJECT / "factoryai/alerts/delivery.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    calls = re.findall(r"raise_alert\((.*?)\n(?:    )*\)", text, re.DOTALL)
    kinds = {kind for call in calls for kind in re.findall(r'kind="(\w+)"', call)} | {"blocked_plate", "watched_plate"}
    explained = set(re.findall(r"^\| `(\w+)` \|", (PROJECT / "docs" / "operations.md").read_text(), re.MULTILINE))
    assert len(kinds) > 5
    assert kinds - explained == {"camera_back"}  # good news needs no advice


def test_the_drawing_and_the_tables_of_cameras_are_those_of_the_formula():
    drawn = module_at(PROJECT / "docs" / "diagrams.py")
    page = drawn.PAGE.read_text(encoding="utf-8")
    assert drawn.with_tables(page) == page
    assert drawn.drawing() == drawn.DRAWING.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("width_m", "distance_m", "lens_mm", "wanted"),
    [
        pytest.param(0.5, 5, 4, 137, id="a plate at 5 m, 4 mm"),
        pytest.param(0.16, 3, 2.8, 51, id="a face at a turnstile, 2.8 mm"),
        pytest.param(5.6, 1, 1, 1920, id="what fills the picture"),
    ],
)
def test_the_formula_of_lenses(width_m, distance_m, lens_mm, wanted):
    drawn = module_at(PROJECT / "docs" / "diagrams.py")
    assert drawn.pixels(width_m, distance_m, lens_mm) == pytest.approx(wanted, abs=0.6)
    assert drawn.farthest_m(width_m, drawn.pixels(width_m, distance_m, lens_mm), lens_mm) == pytest.approx(distance_m)


def module_at(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
