"""The built book as files: nothing from outside, nothing of the instructors', every figure described."""

import re
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.main import get_command

from nlpcourse import cli, settings
from nlpcourse.data import docstrings
from nlpcourse.exercises import notebook_path, read_assignment
from nlpcourse.site.canary import leaks
from nlpcourse.site.telling import secrets
from nlpcourse.site.times import read_times
from nlpcourse.topics import topics


def pages(html: Path) -> list[Path]:
    """Every page a reader can open."""
    return [page for page in sorted(html.rglob("*.html")) if "_static" not in page.parts]


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def elements(page: Path) -> list[tuple[str, dict[str, str]]]:
    parser = _Elements()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser.found


def listed(root: Path) -> set[str]:
    """Pages in the table of contents."""
    return set(re.findall(r"(?:file|root): (\S+)", (root / "_toc.yml").read_text(encoding="utf-8")))


def test_exactly_the_pages_of_the_contents_are_there(html: Path, root: Path) -> None:
    built = {
        path.relative_to(html).with_suffix("").as_posix() for path in (html / "chapters").rglob("*.html")
    }
    assert built == listed(root)


def test_every_page_in_chapters_is_in_the_contents_once_its_topic_is_ready(root: Path) -> None:
    planned = {topic.name for topic in topics() if not topic.ready}
    written = {
        path.relative_to(root).with_suffix("").as_posix()
        for path in (root / "chapters").rglob("*.md")
        if path.parent.name not in planned
    }
    assert written == listed(root)


def test_nothing_is_loaded_from_outside(html: Path) -> None:
    assert len(pages(html)) >= 7
    for page in pages(html):
        for tag, attributes in elements(page):
            address = attributes.get("src", "") if tag != "link" else attributes.get("href", "")
            assert not re.match(r"(https?:)?//", address), f"{page.name}: <{tag}> loads {address}"
    for style in html.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?https?:", style.read_text(encoding="utf-8")), style


def test_each_page_loads_mathjax_at_most_once_and_thebe_never(html: Path) -> None:
    for page in pages(html):
        scripts = [
            attributes["src"] for tag, attributes in elements(page) if tag == "script" and "src" in attributes
        ]
        times = sum("mathjax" in script for script in scripts)
        assert times <= 1, page
        assert times == 1 or "math notranslate" not in page.read_text(encoding="utf-8"), page
        assert "thebe" not in page.read_text(encoding="utf-8").lower(), page
        for script in scripts:
            assert (page.parent / script.split("?")[0]).is_file(), f"{page.name}: {script} is missing"


def test_every_figure_is_described_in_a_sentence(html: Path) -> None:
    figures = [
        attributes
        for page in (html / "chapters").rglob("*.html")
        for tag, attributes in elements(page)
        if tag == "img" and "_images" in attributes["src"]
    ]
    assert len(figures) >= 4
    for attributes in figures:
        assert len(attributes["alt"].split()) >= 10, attributes


def test_chinese_is_marked_as_chinese(html: Path) -> None:
    page = (html / "chapters" / "embeddings" / "skip-gram.html").read_text(encoding="utf-8")
    assert '<span lang="zh-Hans">负采样</span>' in page
    assert page.count("负采样") == page.count('<span lang="zh-Hans">负采样</span>')


def test_no_solution_and_no_marker_reaches_the_site(html: Path, root: Path) -> None:
    needles = secrets(root)
    assert len(needles) >= 500 or not (root / "solutions").is_dir(), "the canary has nothing to look for"
    assert leaks(html, needles) == []


def test_the_repository_button_leads_to_the_one_address(html: Path) -> None:
    outside = {
        attributes["href"]
        for page in pages(html)
        for tag, attributes in elements(page)
        if tag == "a"
        and "github.com" in attributes.get("href", "")
        and "reference" not in attributes.get("class", "").split()  # links of the text are sources
    }
    assert {address for address in outside if "colab" not in address} == {settings.REPOSITORY}


def test_the_downloaded_notebook_is_the_released_one(html: Path, root: Path) -> None:
    for topic in (each for each in topics() if each.ready):
        released = notebook_path(topic.name, root)
        copies = list((html / "_downloads").rglob(released.name))
        assert [copy.read_bytes() for copy in copies] == [released.read_bytes()]


def test_the_table_of_exercises_is_the_notebooks_own(html: Path, root: Path) -> None:
    page = (html / "chapters" / "embeddings" / "exercises.html").read_text(encoding="utf-8")
    released = read_assignment(notebook_path("embeddings", root))
    assert released.exercises
    for exercise in released.exercises:
        assert exercise.id in page
        assert exercise.title in page
        assert re.search(rf"<p>{exercise.number}</p></td>\s*<td[^>]*><p>{exercise.title}", page), exercise.id
    assert released.total in page


def test_planned_topics_are_plain_text_and_ready_ones_are_links(html: Path) -> None:
    page = (html / "chapters" / "index.html").read_text(encoding="utf-8")
    cells = re.findall(r"<td[^>]*><p>(.*?)</p></td>", page)
    for topic in topics():
        cell = next(cell for cell in cells if topic.title in cell)
        assert ("<a " in cell) == topic.ready, cell


def test_the_page_of_versions_shows_what_the_build_used(html: Path) -> None:
    page = (html / "chapters" / "versions.html").read_text(encoding="utf-8")
    info = docstrings.load().info
    for shown in (version("torch"), version("numpy"), f"{info.words:,}", f"{info.docstrings:,}", info.sha256):
        assert shown in page, shown
    times = read_times(html.parent)
    assert times is not None
    assert len(times.pages) >= 7
    for each in times.pages:
        address = re.escape(f"{each.page.removeprefix('chapters/')}.html")
        row = re.search(
            rf'<td><p><a [^>]*href="{address}"[^>]*>(?:(?!</td>).)*</td>\s*<td[^>]*><p>([\d.]+)', page
        )
        assert row, f"no row leads to {each.page}"
        assert float(row[1]) == pytest.approx(each.seconds, abs=0.06)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
    told = [re.sub(r"<[^>]*>|[\d.\s]", "", row) for row in rows]
    assert len(set(told)) == len(told), "two rows that a reader cannot tell apart"


def test_the_picture_of_the_path_leads_to_ready_topics_only(html: Path) -> None:
    page = (html / "chapters" / "index.html").read_text(encoding="utf-8")
    picture = page.partition('<figure class="course-path">')[2].partition("</figure>")[0]
    assert "<span" not in picture, "HTML inside an SVG ends the picture"
    assert re.findall(r'href="([^"#]*)"', picture) == [
        f"{each.name}/index.html" for each in topics() if each.ready
    ]
    for topic in topics():
        assert topic.title in picture


def test_how_to_pages_name_commands_that_exist_and_the_one_address(html: Path, root: Path) -> None:
    pages = {
        path.stem: path.read_text(encoding="utf-8") for path in (root / "chapters" / "howto").glob("*.md")
    }
    assert f"nlpcourse @ git+{settings.REPOSITORY}@{settings.TAG}" in pages["student"]
    cli._add_commands()
    commands = get_command(cli.app).commands
    for text in pages.values():
        for name, second in re.findall(r"^nlpcourse (\w+)(?: (\w+))?", text, re.MULTILINE):
            assert name in commands, name
            assert second in getattr(commands[name], "commands", [second]), f"{name} {second}"


@pytest.mark.parametrize("name", ["index.html", "search.html"])
def test_the_site_has_its_entrances(html: Path, name: str) -> None:
    assert (html / name).is_file()
