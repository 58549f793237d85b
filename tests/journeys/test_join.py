"""`legible models join`: an ensemble of nets that were trained apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from legible.cards import Card, open_card
from legible.data import load_dataset
from legible.inference.saved import load
from legible.models import build_model, count_parameters
from legible.models.ensemble import Ensemble
from legible.runs.steps import divide_outputs
from tests.conftest import run_command


@pytest.fixture(scope="module")
def members(tmp_path_factory) -> list[Path]:
    """Three nets of one kind, trained by the real command with other seeds; not to be changed."""
    folder = tmp_path_factory.mktemp("members")
    for seed in range(3):
        done = run_command(
            "train", "cnn-one-conv:filters=4,dense=16", "-d", "digits-embedded", "--epochs", 2,
            "--seed", seed, "--batch-size", 32, "--learning-rate", 0.01, "--task", "recognise",
            "--output", folder / f"seed{seed}",
        )  # fmt: skip
        assert done.code == 0, done.err
    return [folder / f"seed{seed}" for seed in range(3)]


def sharpen(probabilities: np.ndarray, card: Card) -> np.ndarray:
    """Probabilities (N, K) as the temperature of a card makes them."""
    powers = probabilities ** (1 / card.confidence["temperature"])
    return powers / powers.sum(1, keepdims=True)


def test_an_ensemble_gives_the_mean_probabilities_of_its_members(legible, members, tmp_path):
    done = legible("models", "join", *members, "-o", tmp_path / "all", "--json")
    assert done.code == 0, done.err
    card, images = open_card(tmp_path / "all"), load_dataset("digits-embedded").test.images
    means = np.mean([load(str(member)).predict(images) for member in members], axis=0)
    expected = sharpen(means, card)
    np.testing.assert_allclose(load(str(card.folder)).predict(images), expected, atol=2e-4)
    assert json.loads(done.out)["clean"]["accuracy"] == card.main_score["accuracy"]


def test_its_card_lists_its_members_and_verifies(legible, members, tmp_path):
    assert legible("models", "join", *members, "-o", tmp_path / "all").code == 0
    trained = open_card(tmp_path / "all").facts["trained"]
    assert [member["seed"] for member in trained["members"]] == [0, 1, 2]
    identities = [open_card(member).identity for member in members]
    assert [member["identity"] for member in trained["members"]] == identities
    assert trained["seconds"] == pytest.approx(sum(member["seconds"] for member in trained["members"]))
    verified = legible("models", "verify", tmp_path / "all")
    assert verified.code == 0, verified.err


def test_several_views_are_averaged_the_image_and_it_moved_and_turned():
    ensemble = build_model("ensemble:of=mlp,n=1,views=7", (1, 28, 28), 10, seed=0)
    assert isinstance(ensemble, Ensemble)
    member = ensemble.members[0].eval()
    upright = torch.zeros(1, 1, 28, 28)
    upright[:, :, 4:24, 13:15] = 1  # its middle lies between columns 13 and 14
    views = ensemble.eval().all_views(upright)
    assert torch.equal(views[:1], upright) and len(views) == 7
    for view, move in zip(views[1:5], ((0, 1), (0, -1), (1, 0), (-1, 0)), strict=True):
        torch.testing.assert_close(view, upright[0].roll(move, (1, 2)), atol=1e-5, rtol=0)
    columns = torch.arange(28.0)
    tops = [float((view[0, 4:9].sum(0) * columns).sum() / view[0, 4:9].sum()) for view in views[5:]]
    assert min(tops) < 13 and max(tops) > 14  # its top leans to one side, then to the other
    mean = torch.stack([member(view[None]).softmax(1) for view in views]).mean(0)
    torch.testing.assert_close(ensemble(upright), mean.log())
    torch.testing.assert_close(ensemble.train()(upright), member(upright).log_softmax(1))


def test_a_member_with_several_views_is_an_ensemble(legible, members, tmp_path):
    done = legible("models", "join", members[0], "--views", 3, "-o", tmp_path / "one")
    assert done.code == 0, done.err
    images = load_dataset("digits-embedded").test.images
    ensemble = build_model(open_card(tmp_path / "one").model, (1, 28, 28), 10, seed=0)
    assert isinstance(ensemble, Ensemble)
    shown = ensemble.all_views(torch.from_numpy(images)).numpy()
    assert len(shown) == 3 * len(images)
    means = load(str(members[0])).predict(shown).reshape(3, -1, 10).mean(0)
    expected = sharpen(means, open_card(tmp_path / "one"))
    np.testing.assert_allclose(load(str(tmp_path / "one")).predict(images), expected, atol=2e-4)


def test_the_members_of_ensembles_join_one_by_one(legible, members, tmp_path):
    assert legible("models", "join", *members[:2], "-o", tmp_path / "two").code == 0
    assert legible("models", "join", tmp_path / "two", members[2], "-o", tmp_path / "all").code == 0
    card, two = open_card(tmp_path / "all"), open_card(tmp_path / "two")
    assert ",n=3,views=1" in card.model
    images = load_dataset("digits-embedded").test.images
    apart = [load(str(member)).predict(images) for member in members]
    means = np.mean([*(sharpen(probabilities, two) for probabilities in apart[:2]), apart[2]], axis=0)
    expected = sharpen(means, card)
    np.testing.assert_allclose(load(str(card.folder)).predict(images), expected, atol=2e-4)


@pytest.mark.parametrize(
    ("chosen", "said"), [((0,), "2 saved models and more"), ((0, 0), "the same; name each once")]
)
def test_too_few_members_are_refused(legible, members, chosen, said):
    done = legible("models", "join", *(members[i] for i in chosen), "-o", "all")
    assert done.code == 2
    assert said in done.err
    assert not Path("all").exists()


def test_members_may_be_of_several_kinds(legible, members, trained, tmp_path):
    done = legible("models", "join", members[0], trained.folder, "-o", tmp_path / "both")
    assert done.code == 0, done.err
    card, images = open_card(tmp_path / "both"), load_dataset("digits-embedded").test.images
    assert "of=cnn-one-conv:filters=4;dense=16+cnn-one-conv:filters=8;dense=32,n=1" in card.model
    means = np.mean([load(str(f)).predict(images) for f in (members[0], trained.folder)], axis=0)
    expected = sharpen(means, card)
    np.testing.assert_allclose(load(str(card.folder)).predict(images), expected, atol=2e-4)


def test_what_is_not_a_classifier_of_the_same_images_is_refused(legible, members, tmp_path):
    done = legible("models", "join", "digit-denoiser", members[0], "-o", "all")
    assert done.code == 2
    assert "not a classifier" in done.err
    done = legible("models", "join", "digits-fast", members[0], "-o", "all")
    assert done.code == 2
    assert "must see and name the same" in done.err


def test_what_is_there_is_kept(legible, members):
    Path("all").mkdir()
    done = legible("models", "join", *members, "-o", "all")
    assert done.code == 6
    assert "--overwrite" in done.err


def test_dividing_an_ensembles_outputs_changes_its_temperature_alone():
    ensemble = build_model("ensemble:of=mlp,n=2", (1, 28, 28), 10, seed=0).eval()
    assert isinstance(ensemble, Ensemble)
    images = torch.rand(4, 1, 28, 28)
    before = ensemble(images)
    divide_outputs(ensemble, 2.0)
    divide_outputs(ensemble, 1.5)
    torch.testing.assert_close(ensemble(images), before / 3)
    assert count_parameters(ensemble) == 2 * count_parameters(build_model("mlp", (1, 28, 28), 10, seed=0))
