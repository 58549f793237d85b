"""From a trained generator to new digits in three forms: the real commands, on the embedded digits."""

import numpy as np
import pytest
from PIL import Image

import legible as package
from legible.cards import open_card
from legible.data import load_dataset
from legible.errors import ArgumentError, UnknownName
from legible.kinds import GENERATE
from tests.conftest import run_command


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    """A small generator, trained by the real command. Not to be changed."""
    folder = tmp_path_factory.mktemp("generator") / "small-generator"
    done = run_command(
        "train", "vae-dense:latents=8,hidden=64", "-d", "digits-embedded", "--noise", "binary",
        "--epochs", 30, "--batch-size", 64, "--average", 0.9, "-o", folder,
    )  # fmt: skip
    assert done.code == 0, done.err
    return folder, done


def test_a_generator_is_trained_evaluated_and_saved_with_its_pictures(generator):
    folder, done = generator
    assert (
        "held out -ELBO" in done.err
        and "| bound, 10 samples" in done.out
        and "| read as requested" in done.out
    )
    assert {"generated.png", "nearest.png", "curves.png", "model.onnx"} <= {p.name for p in folder.iterdir()}
    card = open_card(folder)
    assert card.kind == GENERATE and card.n_latents == 8
    score = card.main_score
    assert score["bound_nats"] < score["elbo_nats"] < 200  # untrained: 784 log 2 = 543
    assert score["bound_without_label_nats"] == pytest.approx(score["bound_nats"] + np.log(10))


def test_images_are_what_was_asked_for_and_equal_seeds_give_equal_ones(generator):
    model = package.load(str(generator[0]))
    names = ["0"] * 60 + ["1"] * 60
    first, again = (model.generate(names, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (120, 1, 28, 28) and first.min() >= 0 and first.max() <= 1
    assert np.abs(first - model.generate(names, np.random.default_rng(4))).mean() > 0.01
    real = load_dataset("digits-embedded").train
    means = [real.images[real.labels == k].mean(0) for k in range(2)]
    nearer = [np.square(first - mean).mean((1, 2, 3)) for mean in means]
    assert (nearer[0] < nearer[1])[:60].mean() > 0.7 and (nearer[1] < nearer[0])[60:].mean() > 0.7


def test_images_come_as_a_picture_as_a_dataset_or_as_files(generator, legible, tmp_path):
    words = ("generate", "--model", generator[0], "--digit", "7", "--digit", "3", "-n", 10)
    done = legible(*words, "-o", "seven.png")
    assert done.code == 0 and done.out == "seven.png\n", done.err
    with Image.open(tmp_path / "here" / "seven.png") as picture:
        assert picture.size == (4 * 30 + 2, 3 * 30 + 2)  # 10 digits in 4 columns
    assert legible(*words, "-o", "more.npz").code == 0
    made = load_dataset(str(tmp_path / "here" / "more.npz"), polarity="light-on-dark").named("all")
    assert sorted(made.classes[label] for label in made.labels) == ["3"] * 5 + ["7"] * 5
    assert legible(*words, "-o", "files").code == 0
    assert len(list((tmp_path / "here" / "files" / "7").glob("*.png"))) == 5


def test_what_cannot_be_generated_is_said_in_one_sentence(generator, legible, tmp_path):
    model = package.load(str(generator[0]))
    with pytest.raises(UnknownName, match="class to generate"):
        model.generate(["A"], np.random.default_rng(0))
    with pytest.raises(ArgumentError, match="temperature must lie between 0 and 2"):
        model.generate(["1"], np.random.default_rng(0), temperature=3)
    with pytest.raises(ArgumentError, match=r"latents \(N, 8\)"):
        model.decode(np.zeros((2, 3)), np.zeros((2, 10)))
    words = ("generate", "--model", generator[0], "-n", 4)
    assert legible(*words, "-o", "x.gif").code == 2
    (tmp_path / "here" / "there.png").write_text("mine")
    refused = legible(*words, "-o", "there.png")
    assert refused.code == 6 and (tmp_path / "here" / "there.png").read_text() == "mine"
    assert legible("generate", "--model", "digits-fast", "-o", "y.png").code == 4
    assert legible("evaluate", generator[0], "-d", "digits-embedded").code == 4


def test_a_saved_generator_is_shown_and_verified(generator, legible):
    shown = legible("models", "show", generator[0])
    assert shown.code == 0 and "images (N, C, H, W)" in shown.out and "read as requested" in shown.out
    checked = legible("models", "verify", generator[0])
    assert checked.code == 0 and "agree to" in checked.out, checked.err
