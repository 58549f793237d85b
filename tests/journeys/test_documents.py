"""What the documents tell people to type works: every command, every piece of Python, every example."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ["README.md", "docs/guide.md", "docs/data.md", "docs/serve.md"]
NOT_HERE = {  # commands that no test can run, and why
    r"serve": "waits for clients; test_serve.py runs it",
    r"datasets fetch mnist": "wants a network",
    r"train (ensemble|line-reader)|train digits-fast$": "learns from MNIST, in minutes or hours",
    r"train unet\S* -d my-pages": "wants pages in pairs; test_train.py makes some",
    r".* --model runs/my-cleaner": "what the command before has made",
    r"read A.png": "needs a classifier of letters; test_read.py trains one",
    r".*--digit-model runs/my-digits": "what the commands before have made",
    r"models join": "joins what `legible reproduce records` trains in an hour; test_join.py joins others",
    r"reproduce (A3 D1|--missing|records|--quick --missing)": "minutes or hours",
    r"reproduce(?! E2 --quick)": "reads this project's own rows; test_reproduce.py has rows",
}


def blocks_of(document: Path) -> list[list[str]]:
    """The indented blocks of a document, each as its lines without the indent."""
    found: list[list[str]] = [[]]
    for line in document.read_text().splitlines():
        if line.startswith("    "):
            found[-1].append(line[4:])
        elif found[-1] and line.strip():
            found.append([])
    return [block for block in found if block]


def commands_in(block: list[str]) -> list[str]:
    """The commands of a block: all its lines, or those after a prompt."""
    lines = [line.removeprefix("$ ") for line in block if line.startswith(("legible ", "$ legible "))]
    return [re.sub(r"\s+[#>].*", "", line).removeprefix("legible ").strip() for line in lines]


def reason_not_to_run(command: str) -> str:
    return next((why for pattern, why in NOT_HERE.items() if re.match(rf"{pattern}(\s|$)", command)), "")


@pytest.fixture
def desk(legible, tmp_path):
    """A folder with what a reader of the documents has: pictures, scans, and the command."""
    here = tmp_path / "here"
    shutil.copytree(ROOT / "docs/pictures", here / "docs/pictures")
    for folder, picture in (("scans", "page.jpg"), ("pictures", "numbers.jpg")):
        (here / folder).mkdir()
        shutil.copy(ROOT / "docs/pictures" / picture, here / folder)
    return legible


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_block_of_a_document_works(desk, name):
    names: dict[str, object] = {}
    for block in blocks_of(ROOT / name):
        commands = commands_in(block)
        for command in commands:
            if not reason_not_to_run(command):
                done = desk(*shlex.split(re.sub(r"--epochs \d+", "--epochs 1", command)))
                assert done.code == 0, f"{command}: {done.err}"
        if not commands and re.match(r"import |from |\w+(, \w+)* = (?!keras)", block[0]):
            exec("\n".join(block).replace('"mnist"', '"digits-embedded"'), names)


def test_every_reason_not_to_run_a_command_is_still_needed():
    commands = [
        command for name in DOCUMENTS for block in blocks_of(ROOT / name) for command in commands_in(block)
    ]
    for pattern in NOT_HERE:
        assert any(re.match(rf"{pattern}(\s|$)", command) for command in commands), pattern


def examples() -> dict[str, str]:
    """The examples of add-one.md by their headings."""
    parts = re.split(r"^## ", (ROOT / "docs/add-one.md").read_text(), flags=re.MULTILINE)[1:]
    pairs = ((part.splitlines()[0], re.search(r"```python\n(.*?)```", part, re.DOTALL)) for part in parts)
    return {heading: found[1] for heading, found in pairs if found}


PACKAGES = {"A noise": "noise", "A model": "models", "A dataset": "data", "A study": "studies"}
WITH_ONE_MORE = """
import importlib, sys
package, folder, *sys.argv[1:] = sys.argv[1:]
importlib.import_module(package).__path__.append(folder)
importlib.import_module("legible.cli").main()
"""


@pytest.mark.parametrize("heading", PACKAGES)
def test_an_example_of_what_can_be_added_is_one_short_file_that_is_found(tmp_path, heading):
    code = examples()[heading]
    assert len([line for line in code.splitlines() if line.strip()]) < 40
    (tmp_path / "example.py").write_text(code)
    text = (ROOT / "docs/add-one.md").read_text().partition(f"## {heading}\n")[2]
    command = next(block for block in re.findall(r"^    legible (.*)$", text, re.MULTILINE))
    words = shlex.split(re.sub(r"--epochs \d+", "--epochs 1", command))
    python = [sys.executable, "-c", WITH_ONE_MORE, f"legible.{PACKAGES[heading]}", str(tmp_path)]
    done = subprocess.run([*python, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
