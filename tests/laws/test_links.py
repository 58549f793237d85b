"""What the documents link to is there, and every picture in docs/pictures is shown somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]


def links_in(document: Path) -> list[Path]:
    """The files a document links to or shows."""
    found = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())
    return [document.parent / link for link in found if "://" not in link]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_document_leads_somewhere(document):
    assert [str(path) for path in links_in(document) if not path.exists()] == []


def test_every_picture_is_shown_or_read():
    shown = {path.resolve() for document in DOCUMENTS for path in links_in(document)}
    told = "".join(document.read_text() for document in DOCUMENTS)
    pictures = [path for path in (ROOT / "docs/pictures").rglob("*.*") if path.resolve() not in shown]
    assert [str(path) for path in pictures if path.name not in told] == []
