"""A line reader and a classifier that refuses, trained small by the real command, and put to work."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from legible.cards import open_card
from legible.inference.saved import load
from legible.kinds import CLASSIFY, READ_LINES
from tests.conftest import run_command


@pytest.fixture(scope="module")
def readers(tmp_path_factory) -> Path:
    """Both, trained for a moment. Not to be changed."""
    root = tmp_path_factory.mktemp("readers")
    for name, words in (
        ("lines", ["line-reader:filters=4", "--epochs", 2]),
        ("single", ["digits-strong:filters=4", "--task", "recognise", "--noise", "any:0.4", "--epochs", 3]),
    ):
        done = run_command("train", *words, "-d", "digits-embedded", "--batch-size", 128, "-o", root / name)
        assert done.code == 0, done.err
        (root / f"{name}.out").write_text(done.out)
    return root


def test_a_line_reader_is_kept_with_its_scores_and_pictures(readers):
    card = open_card(readers / "lines")
    assert card.kind == READ_LINES and card.image_shape == (1, 40, 256) and card.multiple == 8
    assert {"strings_right", "digit_error_rate", "falsely_read"} <= set(card.main_score)
    assert 0.05 <= card.confidence["temperature"] <= 20
    assert "strings read correctly" in (readers / "lines.out").read_text()
    for name in ("lines.png", "curves.png"):
        assert (readers / "lines" / name).stat().st_size > 10_000


def test_a_classifier_that_refuses_says_how_sure_it_must_be(readers):
    card = open_card(readers / "single")
    assert card.kind == CLASSIFY
    assert 0 < card.confidence["refuse_below"] < 1 and len(card.confidence["sets"]) == 9
    probabilities = load(str(card.folder)).predict(np.zeros((1, 1, 28, 28), np.float32))
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_their_cards_verify(legible, readers):
    for name in ("lines", "single"):
        done = legible("models", "verify", readers / name)
        assert done.code == 0 and "agree to" in done.out, done.err
        assert legible("models", "show", readers / name).code == 0


def test_they_are_evaluated_again_with_the_same_outcome(legible, readers):
    done = legible("evaluate", readers / "lines", "-d", "digits-embedded", "--json", "--pictures", "seen")
    found = json.loads(done.out)
    kept = open_card(readers / "lines").main_score
    assert done.code == 0 and found["strings_right"] == pytest.approx(kept["strings_right"], abs=0.02)
    assert (Path("seen") / "lines.png").exists()


def test_they_read_pictures(legible, readers, tmp_path):
    Image.new("L", (300, 60), 250).save(tmp_path / "blank.png")
    picture = np.full((60, 200), 240, np.uint8)
    picture[10:50, 90:96] = 20
    Image.fromarray(picture).save(tmp_path / "one.png")
    words = ("--line-model", readers / "lines", "--digit-model", readers / "single")
    done = legible("read", tmp_path / "blank.png", tmp_path / "one.png", *words, "--json")
    blank, one = map(json.loads, done.out.splitlines())
    assert done.code == 0 and "blank" in blank["reason"] and set(one["text"]) <= set("0123456789 ")
    assert legible("read", tmp_path / "one.png", "--line-model", readers / "single").code == 4
