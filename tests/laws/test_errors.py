"""Every message in the source is in docs/errors.md with what to do, and nothing else is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import legible
from legible import errors

SOURCE, PAGE = Path(legible.__file__).parent, Path(__file__).parents[2] / "docs/errors.md"
CLASSES = {
    name
    for name, one in vars(errors).items()
    if isinstance(one, type) and issubclass(one, errors.LegibleError)
}
GAP = "\0"  # what is only known when it happens


def text_of(node: ast.expr) -> str:
    """A message as the source builds it, with gaps."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            return "".join(text_of(part) for part in parts)
        case ast.BinOp(left, ast.Add(), right):
            return text_of(left) + text_of(right)
    return GAP


def messages_in(source: str) -> Iterator[str]:
    """The messages of our errors; of an unknown name, what kind of name it is."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(ast.Name("UnknownName"), [kind, *_]):
                yield f"no {text_of(kind)} {GAP}. Did you mean {GAP}? List: {GAP}"
            case ast.Call(ast.Name(name), [message, *_]) if name in CLASSES - {"MissingExtra"}:
                yield text_of(message)
            case ast.Call(ast.Name("MissingExtra"), [message, *_]):
                yield text_of(message) if " " in text_of(message) else f"{GAP} needs the {GAP} extra"


SOURCES = [path.read_text() for path in sorted(SOURCE.rglob("*.py"))]
MESSAGES = [message for source in SOURCES for message in messages_in(source)]
TOLD = [m for m in MESSAGES if re.search(r"\w{2} \w{2}", m)]  # others pass on what happened elsewhere
TEXTS = {
    text_of(node) for source in SOURCES for node in ast.walk(ast.parse(source)) if isinstance(node, ast.expr)
}


def patterns() -> list[str]:
    """The first column of the tables of messages."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return [pattern for row in rows for pattern in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def fits(pattern: str, message: str) -> bool:
    """Whether the pieces of a pattern, between its ..., are in the message one after the other."""
    message, at = message.replace(f"'{GAP}'", GAP), 0
    for piece in pattern.replace("'...'", "...").split("..."):
        at = message.find(piece.strip(), at)
        if at < 0:
            return False
        at += len(piece.strip())
    return True


def test_every_message_is_in_the_documents_with_what_to_do():
    told = patterns()
    lacking = [message.replace(GAP, "...") for message in TOLD if not any(fits(p, message) for p in told)]
    assert lacking == []


def test_no_message_is_in_the_documents_that_is_nowhere_in_the_source():
    texts = [text for text in {*MESSAGES, *TEXTS} if text.strip(GAP)]
    gone = [pattern for pattern in patterns() if not any(fits(pattern, text) for text in texts)]
    assert gone == []


@pytest.mark.parametrize("row", [line for line in PAGE.read_text().splitlines() if line.startswith("| `")])
def test_every_row_says_what_to_do(row):
    assert len(row.split(" | ")) >= 2 and len(row.rsplit(" | ", 1)[1].split()) >= 3


def test_a_message_that_the_documents_lack_would_be_seen():
    [message] = messages_in('raise InputError(f"{name} is a kind of cheese, not {other!r}.")')
    assert not any(fits(pattern, message) for pattern in patterns())
    assert fits("... is a kind of cheese", message) and not fits("... is a kind of bread", message)
