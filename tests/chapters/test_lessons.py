"""What every lesson page keeps: its order, a short summary, described figures, terms in the glossary."""

import re
from pathlib import Path

import pytest

from nlpcourse.paths import project_root
from nlpcourse.topics import topics

CHAPTERS = project_root(Path(__file__).parent) / "chapters"
TOPICS = {each.name for each in topics()}
PAGES = [
    page
    for page in sorted(CHAPTERS.glob("*/*.md"))
    if page.parent.name in TOPICS and page.stem not in ("index", "exercises")
]
LESSONS = [page for page in PAGES if page.stem != "real-thing"]
CELL = re.compile(r"^```\{code-cell\}.*?^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(params=LESSONS, ids=[page.stem for page in LESSONS])
def lesson(request: pytest.FixtureRequest) -> str:
    return request.param.read_text(encoding="utf-8")


@pytest.fixture(params=PAGES, ids=[page.stem for page in PAGES])
def page(request: pytest.FixtureRequest) -> str:
    return request.param.read_text(encoding="utf-8")


def test_a_lesson_opens_with_a_question_and_ends_with_a_check_and_a_short_summary(lesson: str) -> None:
    assert re.search(r"^# .*\n\n> [^#]*\?$", lesson, re.MULTILINE), "no question at the top"
    headings = re.findall(r"^## (.*)$", lesson, re.MULTILINE)
    assert headings[-3:] == ["What goes wrong", "Check yourself", "Summary"]
    summary = lesson.rsplit("## Summary\n", 1)[1].split("**Next:**")[0].strip().splitlines()
    assert 1 <= len(summary) <= 5


def test_a_lesson_asks_two_to_four_questions(lesson: str) -> None:
    assert 2 <= len(re.findall(r"^Question\(", lesson, re.MULTILINE)) <= 4


def test_every_cell_that_draws_has_a_description(page: str) -> None:
    drawn = [cell for cell in CELL.findall(page) if "plt.show()" in cell]
    assert drawn
    for cell in drawn:
        assert re.search(r"^    alt: \S", cell, re.MULTILINE), cell[:200]
        assert "xlabel=" in cell
        assert "ylabel=" in cell


def test_shown_code_fits_the_column(page: str) -> None:
    for cell in CELL.findall(page):
        if not re.search("hide-input|remove-cell|remove-input", cell):
            for line in cell.splitlines():
                assert len(line) <= 84, line


def test_what_is_pasted_stands_in_no_code_span(page: str) -> None:
    assert "`{glue" not in page, "it would be shown as it is written"


def test_chinese_terms_are_in_the_glossary() -> None:
    glossary = (CHAPTERS / "glossary.md").read_text(encoding="utf-8")
    for page in sorted(CHAPTERS.rglob("*.md")):
        for term in re.findall(r"[\u4e00-\u9fff]+", page.read_text(encoding="utf-8")):
            assert term in glossary, f"{page.name}: {term}"


def test_a_label_stands_once_in_the_book() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in sorted(CHAPTERS.rglob("*.md")))
    for pattern in (r"^\(([\w-]+)\)=$", r"^\$\$ \(([\w-]+)\)$"):
        labels = re.findall(pattern, text, re.MULTILINE)
        assert len(labels) > 20
        assert {label for label in labels if labels.count(label) > 1} == set(), "two targets or equations"


def test_every_work_in_the_bibliography_is_cited_and_the_other_way_round() -> None:
    works = set(re.findall(r"@\w+\{(\w+),", (CHAPTERS.parent / "references.bib").read_text(encoding="utf-8")))
    text = "".join(page.read_text(encoding="utf-8") for page in sorted(CHAPTERS.rglob("*.md")))
    cited = {key for keys in re.findall(r"\{cite:\w\}`([^`]*)`", text) for key in keys.split(",")}
    assert works == cited


def test_a_page_of_real_runs_types_no_number() -> None:
    """Numbers in its prose are pasted from records; only seeds, widths and the like stand in code."""
    for path in (each for each in PAGES if each.stem == "real-thing"):
        prose = CELL.sub("", path.read_text(encoding="utf-8").split("---", 2)[2])
        prose = re.sub(
            r"\{[\w:]+\}`[^`]*`|\[[^\]]*\]\([^)]*\)|```.*?```|`[^`]*`|3CosAdd|Multi30k|SST-5|WNUT-17|F1",
            "",
            prose,
            flags=re.DOTALL,
        )
        assert not re.search(r"\d", prose), re.search(r".*\d.*", prose)
