"""What holds of the tests themselves: they use what is public, and facts say where their values come from."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FILES = sorted(TESTS.rglob("test_*.py"))
FACTS = [path for path in FILES if path.parent.name == "facts"]
SHOWN_BY_NOTEBOOKS = "_repr_"


def private_names(source: str) -> list[str]:
    """The names with an underscore in front that a source takes from anything but itself."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Attribute) and not (
            isinstance(node.value, ast.Name) and node.value.id == "self"
        ):
            names = [node.attr]
        elif isinstance(node, ast.ImportFrom):
            names = [part for alias in node.names for part in f"{node.module}.{alias.name}".split(".")]
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.startswith("legible.")
        ):
            names = node.value.split(".")
        found += [n for n in names if n.startswith("_") and not n.startswith(("__", SHOWN_BY_NOTEBOOKS))]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_tests_use_no_private_names(path):
    assert private_names(path.read_text()) == []


@pytest.mark.parametrize(
    "source", ["module._work()", "from legible.noise import _draw", 'patch.setattr("legible.cli._go", 1)']
)
def test_a_private_name_is_noticed(source):
    assert private_names(source)


@pytest.mark.parametrize("path", FACTS, ids=lambda path: path.stem)
def test_facts_say_where_their_values_come_from(path):
    assert "Source of the expected values: " in " ".join(
        (ast.get_docstring(ast.parse(path.read_text())) or "").split()
    )
