"""From noisy digits to a saved denoiser and its use: the real commands, on the embedded digits."""

import json

import numpy as np
import pytest

import legible as package
from legible.cards import open_card
from legible.data import load_dataset
from legible.errors import InputError
from legible.kinds import RESTORE
from legible.noise import add_noise
from tests.conftest import run_command


@pytest.fixture(scope="module")
def denoiser(tmp_path_factory):
    """A small denoiser, trained by the real command. Not to be changed."""
    folder = tmp_path_factory.mktemp("denoiser") / "small-denoiser"
    done = run_command(
        "train", "unet:filters=8", "-d", "digits-embedded", "--noise", "gaussian:0.5", "--epochs", 12,
        "--batch-size", 32, "--optimiser", "muon", "--learning-rate", 0.1, "-o", folder,
    )  # fmt: skip
    assert done.code == 0, done.err
    return folder, done


def noisy_digits(n: int = 50) -> tuple[np.ndarray, np.ndarray]:
    clean = load_dataset("digits-embedded").test.images[:n]
    return clean, add_noise(clean, np.random.default_rng(0), ["gaussian:0.5"])


def test_a_denoiser_is_trained_evaluated_and_saved_with_its_pictures(denoiser):
    folder, done = denoiser
    assert "held out MSE 0.0" in done.err and "| PSNR" in done.out and "| noisy" in done.out
    names = {path.name for path in folder.iterdir()}
    assert {
        "card.json",
        "model.onnx",
        "weights.safetensors",
        "restored.png",
        "worst.png",
        "curves.png",
    } <= names
    card = open_card(folder)
    assert card.kind == RESTORE and card.multiple == 4
    score = card.main_score
    assert score["noise"] == "gaussian:std=0.5" and score["mse"] < 0.3 * score["noisy_mse"]


def test_the_saved_denoiser_takes_noise_off_and_any_size(denoiser):
    folder, _ = denoiser
    model = package.load(str(folder))
    clean, noisy = noisy_digits()
    restored = model.restore(noisy)
    assert restored.shape == clean.shape and restored.min() >= 0 and restored.max() <= 1
    assert np.square(restored - clean).mean() < 0.3 * np.square(noisy - clean).mean()
    larger = np.pad(noisy, ((0, 0), (0, 0), (0, 9), (0, 3)))  # 37 x 31: no multiples of 4
    there = model.restore(larger)
    assert there.shape == larger.shape
    np.testing.assert_allclose(
        there[..., :10, :10], restored[..., :10, :10], atol=1e-4
    )  # too far off to see the edge


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((2, 3, 28, 28), np.float32), "1 channel of any size, got 3 channels, 28 x 28"),
        (np.full((1, 1, 28, 28), np.nan, np.float32), "found nan to nan"),
        (np.full((1, 1, 28, 28), 2, np.float32), "found 2 to 2"),
        (np.zeros((0, 1, 28, 28), np.float32), "there is no image"),
        (np.zeros((28, 28), np.float32), r"expected an array \(N, C, H, W\)"),
    ],
)
def test_what_cannot_be_restored_is_reported_in_one_sentence(denoiser, images, words):
    with pytest.raises(InputError, match=words):
        package.load(str(denoiser[0])).restore(images)


def test_a_dense_autoencoder_says_which_size_it_takes(legible):
    done = legible("train", "dense-autoencoder:8", "-d", "digits-embedded", "--epochs", 1, "-o", "dense")
    assert done.code == 0, done.err
    model = package.load("dense")
    assert model.card.multiple == 0
    with pytest.raises(InputError, match="takes images of 1 channel, 28 x 28 pixels, got 1 channel, 30 x 28"):
        model.restore(np.zeros((1, 1, 30, 28), np.float32))


def test_a_saved_denoiser_is_evaluated_shown_and_verified(denoiser, legible):
    folder, _ = denoiser
    done = legible(
        "evaluate", folder, "-d", "digits-embedded", "--noise", "gaussian:0.5", "--json", "--pictures", "p"
    )
    found = json.loads(done.out)
    assert found["mse"] == pytest.approx(open_card(folder).main_score["mse"], rel=1e-3)
    assert found["n_images"] == 360 and "restored.png" in done.err
    shown = legible("models", "show", folder)
    assert "restored images (N, C, H, W)" in shown.out and "or any other height and width" in shown.out
    checked = legible("models", "verify", folder)
    assert checked.code == 0 and "agree to" in checked.out


def test_a_classifier_is_not_trained_to_restore_nor_the_other_way_round(legible):
    done = legible("train", "mlp", "-d", "digits-embedded", "--task", "restore", "-o", "x")
    assert done.code == 2 and "is for a restorer" in done.err
    done = legible("train", "unet", "-d", "digits-embedded", "--label-smoothing", "0.1", "-o", "x")
    assert done.code == 2 and "no labels to smooth" in done.err
