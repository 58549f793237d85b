"""The rules of the house, read off the syntax trees of the source; each rule is shown to be able to fail."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import legible

SOURCE = Path(legible.__file__).parent
# from the bottom up; nothing imports its neighbours in a line, nor anything of a line below
LAYERS = (
    ("errors",),
    (
        "registry",
        "output",
        "memory",
        "cores",
        "seeds",
        "choices",
        "notebook",
        "softmax",
        "stored_names",
        "libtiff",
    ),
    ("kinds", "images", "progress"),
    ("prepare", "ctc", "cards", "noise", "models", "evaluation.metrics"),
    ("inference", "documents"),
    ("data",),
    ("cleaning", "reading", "generating", "training"),
    ("evaluation",),
    ("report",),
    ("runs",),
    ("studies",),
    ("tour", "web"),
    ("cli",),
    ("__init__", "__main__"),
)
USE = {"inference", "documents", "cleaning", "reading", "generating"}  # reads, cleans and generates
USE_MAY_IMPORT = USE | {
    "cards", "choices", "cores", "ctc", "errors", "images", "kinds", "libtiff", "notebook", "output",
    "prepare", "registry", "softmax", "stored_names",
}  # fmt: skip
HEAVY = {"torch", "sklearn", "matplotlib", "safetensors", "h5py"}
MAY_BE_HEAVY = {"models", "training", "report", "runs", "studies", "tour.py"}
CATALOGUES = {
    *(f"data/{name}.py" for name in ("digits", "pages", "page_tiles")),
    *(f"noise/{name}.py" for name in ("pixels", "blurs", "geometry", "paper", "scans")),
    *(f"models/{name}.py" for name in ("mlp", "convnet", "digits")),
    *(f"training/{name}.py" for name in ("augment", "optimisers")),
    "kinds.py",
}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "tools"}

Sources = dict[str, str]  # path below src/legible -> text


def our_sources() -> Sources:
    return {path.relative_to(SOURCE).as_posix(): path.read_text() for path in sorted(SOURCE.rglob("*.py"))}


def module_of(path: str) -> str:
    """`data/__init__.py` -> `data`, `evaluation/metrics.py` -> `evaluation.metrics`."""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def part_of(module: str) -> str:
    """The entry of LAYERS that a module belongs to."""
    return module if module == "evaluation.metrics" else module.partition(".")[0] or "__init__"


def imports(text: str, *, top_only: bool = False) -> Iterator[str]:
    """The full names of all modules that a source imports, lazily too unless top_only."""
    nodes = _at_top(ast.parse(text)) if top_only else ast.walk(ast.parse(text))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # from legible.evaluation import metrics: the module may be the name
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _at_top(tree: ast.Module) -> Iterator[ast.stmt]:
    """What runs when the module is imported: not the inside of functions, nor what is for type checkers."""
    todo: list[ast.stmt] = list(tree.body)
    for node in todo:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            todo += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def parts_imported(text: str) -> set[str]:
    """The parts of Legible that a source imports."""
    ours = [name.removeprefix("legible.") for name in imports(text) if name.startswith("legible.")]
    return {"evaluation.metrics" if name.startswith("evaluation.metrics") else part_of(name) for name in ours}


def find_upward_imports(sources: Sources) -> list[str]:
    level = {part: number for number, parts in enumerate(LAYERS) for part in parts}
    wrong = []
    for path, text in sources.items():
        here = part_of(module_of(path))
        for there in parts_imported(text) - {here}:
            if here not in level or there not in level:
                wrong.append(f"{path}: {here} or {there} is in no layer")
            elif level[there] >= level[here]:
                wrong.append(f"{path} imports {there}")
    return wrong


def find_foreign_imports(sources: Sources) -> list[str]:
    """Imports with which reading, cleaning and generating would need the workbench, or PyTorch."""
    wrong = []
    for path, text in sources.items():
        if part_of(module_of(path)) in USE | {"cards", "kinds"}:
            wrong += [f"{path} imports {there}" for there in parts_imported(text) - USE_MAY_IMPORT]
            wrong += [f"{path} imports {name}" for name in imports(text) if name.partition(".")[0] in HEAVY]
    return wrong


def find_heavy_imports(sources: Sources) -> list[str]:
    return [
        f"{path} imports {name} at the top"
        for path, text in sources.items()
        if path.partition("/")[0] not in MAY_BE_HEAVY
        for name in imports(text, top_only=True)
        if name.partition(".")[0] in HEAVY
    ]


def find_long_files(sources: Sources) -> list[str]:
    return [path for path, text in sources.items() if text.count("\n") > 300]


def find_long_functions(sources: Sources) -> list[str]:
    """Functions with a body of more than 40 lines, below the docstring."""

    def n_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        body = node.body[1:] if ast.get_docstring(node) else node.body
        return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0

    return [
        f"{path}: {node.name}"
        for path, text in sources.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and n_lines(node) > 40
    ]


def find_named_cases(sources: Sources) -> list[str]:
    """Comparisons of a model, kind, task, noise ... with a name written out, outside the catalogues."""
    subject = re.compile(
        r"\b(model|dataset|noise|card|optimiser|study|task|(?<!dtype\.)kind|does|entry\.name|spec\.name)(_name|\.name)?$"
    )
    wrong = []
    for path, text in sources.items():
        compares = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Compare | ast.Match)]
        for node in [] if path in CATALOGUES else compares:
            sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else [node.subject]
            spoken = any(isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value
                         for side in sides for n in ([side, *getattr(side, "elts", [])]))  # fmt: skip
            named = any(subject.search(ast.unparse(side)) for side in sides)
            if named and (spoken or isinstance(node, ast.Match)):
                wrong.append(f"{path}, line {node.lineno}: {ast.unparse(node).splitlines()[0]}")
    return wrong


def find_branches_on_kinds(sources: Sources) -> list[str]:
    """Comparisons with one of the kinds of models, or with the class of a task or of a model."""
    kinds = re.compile(r"\b(CLASSIFY|RESTORE|GENERATE|READ_LINES)\b")
    classes = re.compile(r"isinstance\((task|model|execution\.task|state\.\w+), (?!nn\.)")
    wrong = []
    for path, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            branches = isinstance(node, ast.Compare) and kinds.search(ast.unparse(node))
            asks = isinstance(node, ast.Call) and classes.search(ast.unparse(node))
            if branches or asks:
                wrong.append(f"{path}, line {node.lineno}: {ast.unparse(node)}")
    return wrong


def find_empty_names(sources: Sources) -> list[str]:
    return [path for path in sources if set(module_of(path).split(".")) & EMPTY_NAMES]


def find_unpickling(sources: Sources) -> list[str]:
    """Everything that could run code out of a file: pickle and its kin, torch.load, eval, allow_pickle."""
    wrong = []
    for path, text in sources.items():
        pickles = {"pickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}
        wrong += [f"{path} imports {name}" for name in imports(text) if name.partition(".")[0] in pickles]
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            allowed = [
                k for k in node.keywords if k.arg == "allow_pickle" and ast.unparse(k.value) != "False"
            ]
            if called in ("torch.load", "torch.jit.load", "eval", "exec") or allowed:
                wrong.append(f"{path}, line {node.lineno}: {ast.unparse(node)}")
    return wrong


def find_ways_out(sources: Sources) -> list[str]:
    """Paths that lead from a source file to outside the package, which an installation does not have."""
    wrong = []
    for path, text in sources.items():
        n_up = path.count("/")  # from the file's own folder to the package
        for start, climb in re.findall(r"(__file__)\)((?:\.resolve\(\)|\.parents?(?:\[\d+\])?)*)", text):
            steps = climb.count(".parent") - climb.count(".parents")
            steps += sum(int(number) + 1 for number in re.findall(r"\.parents\[(\d+)\]", climb))
            if steps - 1 > (0 if "legible.__file__" in text else n_up):
                wrong.append(f"{path}: {start}{climb}")
    return wrong


RULES: dict[Callable[[Sources], list[str]], Sources] = {  # each rule, and a source that breaks it
    find_upward_imports: {
        "images.py": "from legible.data import load_dataset",
        "noise/pixels.py": "def late():\n    import legible.training.loop",
        "evaluation/metrics.py": "from legible.evaluation.classification import evaluate",
        "training/loop.py": "from legible.evaluation import measure",
        "errors.py": "from legible.output import new_file",
    },
    find_foreign_imports: {
        "reading/reader.py": "from legible.data.split import Labelled",
        "inference/tiles.py": "def run():\n    import torch",
        "cards.py": "from safetensors.numpy import load_file",
    },
    find_heavy_imports: {
        "cli/train.py": "import torch",
        "data/digits.py": "try:\n    from sklearn.datasets import load_digits\nexcept ImportError:\n    pass",
        "output.py": "class Writer:\n    import h5py",
    },
    find_long_files: {"images.py": "x = 1\n" * 301},
    find_long_functions: {"images.py": "def long():\n" + "    x = 1\n" * 41},
    find_named_cases: {
        "training/loop.py": "if model == 'mlp':\n    pass",
        "cli/train.py": "rate = 1 if run.dataset in ('mnist', 'fashion-mnist') else 2",
        "runs/run.py": "if entry.name != 'gaussian':\n    pass",
        "evaluation/measures.py": "match dataset:\n    case 'mnist':\n        pass",
    },
    find_branches_on_kinds: {
        "runs/keep.py": "if card.kind is CLASSIFY:\n    pass",
        "cli/models.py": "if run.kind.name == kinds.RESTORE.name:\n    pass",
        "web/workbench.py": "if kind in (GENERATE, READ_LINES):\n    pass",
        "runs/ensemble.py": "if isinstance(task, Classify):\n    pass",
    },
    find_empty_names: {"data/utils.py": "", "helpers.py": "", "noise/common/__init__.py": ""},
    find_ways_out: {
        "web/workbench.py": 'PAGES = Path(legible.__file__).parents[2] / "docs"',
        "cards.py": "ROOT = Path(__file__).parent.parent",
        "runs/keep.py": "ROOT = Path(__file__).resolve().parents[2]",
    },
    find_unpickling: {
        "cards.py": "import pickle",
        "data/folders.py": "np.load(path, allow_pickle=True)",
        "training/checkpoint.py": "state = torch.load(path)",
    },
}  # fmt: skip


def test_imports_go_down_only():
    assert find_upward_imports(our_sources()) == []


def test_what_reads_and_cleans_needs_nothing_of_the_workbench():
    assert find_foreign_imports(our_sources()) == []


def test_the_heavy_libraries_are_imported_only_where_they_are_needed():
    assert find_heavy_imports(our_sources()) == []


def test_no_file_is_longer_than_300_lines():
    assert find_long_files(our_sources()) == []


def test_no_function_is_longer_than_40_lines():
    assert find_long_functions(our_sources()) == []


def test_no_model_dataset_or_noise_is_a_special_case_outside_the_catalogues():
    assert find_named_cases(our_sources()) == []


def test_no_kind_of_model_is_a_special_case():
    assert find_branches_on_kinds(our_sources()) == []


def test_every_file_has_a_name_that_says_something():
    assert find_empty_names(our_sources()) == []


def test_no_path_leads_out_of_the_package():
    assert find_ways_out(our_sources()) == []


def test_nothing_is_ever_unpickled():
    assert find_unpickling(our_sources()) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_each_rule_notices_every_way_of_breaking_it(rule):
    for path, text in RULES[rule].items():
        assert rule({path: text}), f"{rule.__name__} has not noticed {path}: {text[:60]}"


def test_the_rules_look_at_real_sources_and_leave_good_ones_alone():
    assert len(our_sources()) > 50
    good = {
        "training/loop.py": "import torch\nfrom legible.softmax import softmax\n",
        "cli/train.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n",
        "models/mlp.py": "if model == 'mlp':\n    pass\n",
        "data/folders.py": "np.load(path, allow_pickle=False)\nif code == 'f':\n    pass\n",
    }
    assert [found for rule in RULES for found in rule(good)] == []
