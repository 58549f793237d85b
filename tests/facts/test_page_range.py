"""Pages are chosen by numbers and ranges.

Source of the expected values: by hand, from the meaning that print dialogs give to such texts.
"""

import pytest

from legible.documents.page_range import parse_pages
from legible.errors import ArgumentError


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("2", [2]), ("1,3-5", [1, 3, 4, 5]), ("3-", [3, 4, 5, 6, 7]), ("-4", [1, 2, 3, 4]),
        ("5,1", [1, 5]), (" 1 , 2 - 3 ", [1, 2, 3]), ("1-7", [1, 2, 3, 4, 5, 6, 7]), ("900", []),
    ],
)  # fmt: skip
def test_a_text_chooses_pages(text, chosen):
    pages = parse_pages(text)
    assert [number for number in range(1, 8) if number in pages] == chosen


@pytest.mark.parametrize(("one", "other"), [("1-3,4", "-4"), ("2,1", "1-2"), ("3-,7", "3-"), ("1,1", "1")])
def test_equal_choices_are_written_alike(one, other):
    assert str(parse_pages(one)) == str(parse_pages(other)) and parse_pages(one) == parse_pages(other)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "numbers and ranges"), ("-", "numbers and ranges"), ("two", "numbers and ranges"),
        ("1,,2", "numbers and ranges"), ("1-2-3", "numbers and ranges"), ("1.5", "numbers and ranges"),
        ("0", "counts from 1"), ("0-3", "counts from 1"), ("5-3", "Write 3-5"), ("²", "numbers and ranges"),
    ],
)  # fmt: skip
def test_another_text_is_refused_with_what_to_write(text, reason):
    with pytest.raises(ArgumentError, match=reason):
        parse_pages(text)
