"""The public list: what it offers, and that it costs nothing until it is used."""

import doctest
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest

import legible as public
from legible.errors import ArgumentError, InputError, ModelError, UnknownName
from legible.softmax import softmax

NAMES = ["clean", "evaluate", "generate", "load", "load_dataset", "read", "train"]
HEAVY = ("torch", "numpy", "cv2", "openvino", "sklearn", "matplotlib", "h5py", "PIL")


def run_python(code: str, *words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_public_list_is_exactly_this():
    assert public.__all__ == ["__version__", *NAMES] and {"__version__", *NAMES} <= set(dir(public))
    assert public.__version__ == version("legible")


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there_with_an_example_that_works(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function = getattr(public, name)
    assert function.__name__ == name
    [example] = doctest.DocTestFinder(recurse=False).find(function, name, globs={})
    assert len(example.examples) >= 2, f"{name} has no example"
    assert doctest.DocTestRunner().run(example).failed == 0


def test_a_name_that_is_not_public_is_an_ordinary_mistake():
    with pytest.raises(AttributeError, match="module 'legible' has no attribute 'laod'"):
        public.laod  # noqa: B018


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, legible; legible.__all__; print([m for m in sys.argv[1:] if m in sys.modules])"
    assert run_python(code, *HEAVY) == "[]"


def test_a_training_imports_no_report_and_no_figures():
    code = (
        "import sys, legible.cli, legible.runs.train;"
        "rooms = ('legible.studies', 'legible.report', 'matplotlib', 'sklearn', 'scipy');"
        "print([m for m in sys.modules if m.startswith(rooms)])"
    )
    assert run_python(code) == "[]"


def test_a_saved_model_is_used_without_pytorch(trained, tmp_path):
    code = (
        "import sys, numpy as np\n"
        "for name in ('torch', 'sklearn', 'matplotlib', 'h5py', 'safetensors'): sys.modules[name] = None\n"
        "import legible\n"
        "images = np.load(sys.argv[2])\n"
        "print(legible.load(sys.argv[1]).predict(images).argmax(1).tolist())\n"
    )
    images = public.load_dataset("digits-embedded").test.images[:9]
    np.save(tmp_path / "images.npy", images)
    expected = public.load(str(trained.folder)).predict(images).argmax(1).tolist()
    assert run_python(code, trained.folder, tmp_path / "images.npy") == str(expected)


def test_a_loaded_model_gives_probabilities_of_its_classes(trained):
    test, model = public.load_dataset("digits-embedded").test, public.load(str(trained.folder))
    probabilities = model.predict(test.images)
    assert model.classes == test.classes and probabilities.shape == (360, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(probabilities, softmax(model.run(test.images)), atol=1e-6)
    right = (probabilities.argmax(axis=1) == test.labels).mean()
    assert right == pytest.approx(model.card.main_score["accuracy"], abs=1 / 360)
    answers = model.classify(test.images[:5])
    assert [answer.name for answer in answers] == [model.classes[i] for i in probabilities[:5].argmax(axis=1)]
    assert answers[0].probability == pytest.approx(float(probabilities[0].max()))


def test_digits_are_generated_as_they_are_asked_for():
    drawn = public.generate("2026", temperature=0.5)
    assert drawn.shape == (4, 1, 28, 28) and drawn.dtype == np.float32 and 0 <= drawn.min() < drawn.max() <= 1
    read = public.load("digits").classify(public.generate(n=40, temperature=0.5))
    assert [answer.name for answer in read] == [*"0123456789"] * 4
    np.testing.assert_array_equal(drawn, public.generate([*"2026"], seed=0, temperature=0.5))
    assert not np.array_equal(drawn, public.generate("2026", seed=1, temperature=0.5))
    for digits in (2026, [2, 0, 2, 6], (np.int64(2), "0", 2, "6")):
        np.testing.assert_array_equal(drawn, public.generate(digits, temperature=0.5))
    for digits, n in (("", None), ([], 3), ("7", 0)):
        with pytest.raises(ArgumentError, match="nothing to generate"):
            public.generate(digits, n)
    with pytest.raises(UnknownName, match="no class to generate 'x'"):
        public.generate("1x")


def test_large_logits_do_not_overflow(trained):
    from legible.inference.classifier import Classifier

    card = public.load(str(trained.folder)).card
    model = Classifier(card, lambda images: np.array([[1000, 0, -1000.0], [0, 0, 0]], np.float32))
    np.testing.assert_allclose(model.predict(np.zeros(1)), [[1, 0, 0], [1 / 3] * 3], atol=1e-6)


def test_images_the_model_does_not_take_and_models_that_are_not_there_are_errors(trained):
    model = public.load(str(trained.folder))
    with pytest.raises(InputError, match="takes images of 1 channel, 28 x 28 pixels, got 1 channel, 8 x 8"):
        model.predict(np.zeros((1, 1, 8, 8), np.float32))
    with pytest.raises(InputError, match="float32"):
        model.predict(np.zeros((1, 1, 28, 28)))
    with pytest.raises(ModelError, match="no saved model 'nothing-here'"):
        public.load("nothing-here")


def test_reading_with_a_card_loads_neither_pytorch_nor_anything_that_reports_home():
    script = (
        "import sys, numpy, legible;"
        "legible.load('digits-fast').predict(numpy.zeros((1, 1, 28, 28), 'float32'));"
        "print([m for m in sys.modules if 'telemetry' in m or m in ('torch', 'sklearn', 'matplotlib')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_reference_of_the_public_names_is_generated(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pdoc", "legible", "legible.reading", "-o", tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "legible.html").read_text()
    assert all(f'id="{name}"' in page for name in NAMES)
    reader = (tmp_path / "legible/reading/reader.html").read_text()
    assert 'id="Reader.read"' in reader and "Raises" in reader
