"""The documents and the house say the same: paths, targets, and both languages."""

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parent.parent
ENGLISH, CHINESE = "README.md", "README.zh-CN.md"
DOCUMENTS = [ENGLISH, CHINESE, "CONTRIBUTING.md", "CHANGELOG.md"]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/*.md")])
each_document = pytest.mark.parametrize("name", DOCUMENTS)
# Named as examples of what a reader makes.
TO_BE_MADE = {"params/short.yaml", "params/mine.yaml"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def figures(text: str) -> list[list[str]]:
    """The numbers of the tables, row by row, with sign and per cent, in any order."""
    rows = [line for line in text.splitlines() if re.match(r"\| .*\d", line)]
    return [sorted(re.findall(r"[−+]?\d(?:[\d,.]*\d)?%?", row)) for row in rows]


@each_document
def test_every_path_named_exists(name: str):
    named = set(re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|yaml|md|ipynb|svg))`", text_of(name)))
    named |= {link for link in re.findall(r"\]\(([^)#]+)\)", text_of(name)) if "://" not in link}
    folders = [ROOT, ROOT / "src" / "mkt_models"]
    missing = {n for n in named - TO_BE_MADE if not any((f / n).exists() for f in folders)}
    assert not missing


@each_document
def test_every_target_named_exists(name: str):
    targets = set(re.findall(r"(?m)^([a-z]+):", text_of("Makefile")))
    assert set(re.findall(r"(?m)(?:`|^)make ([a-z]+)", text_of(name))) <= targets


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_reads_as_it_was_written(path: Path):
    """What is added side by side: a heading that is none, a table without a head, a double."""
    text = re.sub(r"(?ms)^```.*?^```", "", path.read_text(encoding="utf-8"))
    lines = ["", *text.splitlines()]
    for before, line in pairwise(lines):
        assert not line.startswith("#") or not before, f"no empty line before: {line}"
        assert not line.startswith(".venv/bin/"), f"not in a block of commands: {line}"
    heads = [line for before, line in pairwise(lines) if line[:1] == "|" != before[:1]]
    rules = [line for line in lines if re.fullmatch(r"\|[| :-]+\|", line)]
    assert len(heads) == len(rules), "a table without its head"
    long = [line[:60] for line in lines if len(line) >= 60 and line[0] != "|"]
    assert sorted(set(long)) == sorted(long), "said twice"


def test_the_layout_names_modules_that_exist():
    for name in (ENGLISH, CHINESE):
        layout = re.search(r"(?ms)^src/mkt_models/\n(.*?)^build/", text_of(name))
        assert layout is not None
        for entry in re.findall(r"(?m)^  ([\w.]+)", layout[1]):
            assert (ROOT / "src" / "mkt_models" / entry).exists(), f"{name}: {entry}"


def test_both_languages_have_the_same_shape_and_figures():
    english, chinese = text_of(ENGLISH), text_of(CHINESE)
    for pattern in (r"(?m)^#+ ", r"(?m)^\|", r"(?m)^- ", r"(?m)^```\w+"):
        assert re.findall(pattern, english) == re.findall(pattern, chinese)
    assert figures(english) == figures(chinese)
    intervals = r"\[[−+]?[\d.]+%?, [−+]?[\d.]+%?\]"
    assert re.findall(intervals, english) == re.findall(intervals, chinese)


def test_both_languages_show_the_same_run():
    def shown(name: str) -> list[str]:
        return re.findall(r"(?ms)^```text\n(.*?)^```", text_of(name))[:1]

    assert shown(ENGLISH) == shown(CHINESE)


def test_the_picture_stands_alone():
    picture = ROOT / "docs" / "flow.svg"
    tree = ElementTree.parse(picture)
    assert {"title", "desc"} <= {element.tag.rpartition("}")[2] for element in tree.iter()}
    outside = re.sub(r'xmlns="[^"]+"', "", picture.read_text(encoding="utf-8"))
    assert "://" not in outside
