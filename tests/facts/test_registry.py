"""Specs are parsed and registries filled as documented.

Source of the expected values: by hand.
"""

import numpy as np
import pytest

from legible.errors import ArgumentError, ExitCode, UnknownName
from legible.registry import Registry, Spec


@pytest.fixture
def brushes() -> Registry[tuple]:
    registry: Registry[tuple] = Registry("brush", "legible brushes list")

    @registry.register("round", bristles="soft")
    def make_round(paper, *, width: float = 2.0, hairs: int = 40, is_wet: bool = False, tip: str = "fine"):
        """Draw round strokes.

        More of it here.
        """
        return paper, width, hairs, is_wet, tip

    @registry.register("plain")
    def make_plain(paper):
        return paper

    return registry


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("round", "round"),
        ("round:", "round"),
        ("round:0.5", "round:width=0.5"),
        (" round:.5,7 ", "round:width=0.5,hairs=7"),
        ("round:tip=bold,width=1", "round:width=1.0,tip=bold"),  # in the order of the declaration
        ("round:3,is_wet=yes", "round:width=3.0,is_wet=True"),
        ("round:is_wet=0", "round:is_wet=False"),
        ("round:1e-3", "round:width=0.001"),
    ],
)
def test_a_spec_is_parsed_by_position_and_by_name_and_has_a_canonical_form(brushes, text, canonical):
    spec = brushes.parse(text)
    assert str(spec) == canonical
    assert brushes.parse(str(spec)) == spec and hash(spec) == hash(brushes.parse(canonical))


def test_a_spec_is_called_with_its_settings_and_defaults(brushes):
    assert brushes.call("round:0.5,is_wet=true", "paper") == ("paper", 0.5, 40, True, "fine")
    assert brushes.call(Spec("plain"), "paper") == "paper"


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("rond", UnknownName, "no brush 'rond'. Did you mean 'round'? List: legible brushes list"),
        ("xyz", UnknownName, "no brush 'xyz'. List"),
        ("round:with=2", UnknownName, "no setting of brush 'round' called 'with'. Did you mean 'width'?"),
        ("round:wide", ArgumentError, "brush 'round': width takes a number, not 'wide'."),
        ("round:nan", ArgumentError, "takes a number, not 'nan'"),
        ("round:width=inf", ArgumentError, "takes a number, not 'inf'"),
        ("round:1,2.5", ArgumentError, "hairs takes a whole number, not '2.5'."),
        ("round:is_wet=maybe", ArgumentError, "is_wet takes yes or no, not 'maybe'."),
        ("round:1,2,no,a,b", ArgumentError, "brush 'round' takes 4 settings, not 5."),
        ("plain:1", ArgumentError, "brush 'plain' takes 0 settings, not 1."),
        ("round:1,width=2", ArgumentError, "width is given twice"),
    ],
)
def test_an_invalid_spec_is_refused_with_a_reason(brushes, text, kind, words):
    with pytest.raises(kind) as caught:
        brushes.parse(text)
    assert words in str(caught.value) and caught.value.exit_code == ExitCode.ARGUMENTS


def test_a_registry_keeps_order_facts_and_summaries_and_refuses_duplicates(brushes):
    assert brushes.names() == ["round", "plain"] == [entry.name for entry in brushes]
    assert "round" in brushes and "square" not in brushes
    entry = brushes.get("round")
    assert entry.summary == "Draw round strokes." and entry.facts == {"bristles": "soft"}
    assert entry.settings == "width=2.0, hairs=40, is_wet=False, tip=fine"
    with pytest.raises(ValueError, match="two entries of kind brush are named 'plain'"):
        brushes.register("plain")(lambda paper: paper)


def test_seeds_depend_on_the_words():
    from legible.seeds import rng_for, seed_for

    assert seed_for("order", 1, 2) == seed_for("order", 1, 2)
    seeds = {seed_for(*words) for words in (("order", 1, 2), ("order", 2, 1), ("noise", 1, 2), ("order", 12))}
    assert len(seeds) == 4 and all(0 <= seed < 2**63 for seed in seeds)
    first, other = rng_for("a").random(10_000), rng_for("b").random(10_000)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.05
