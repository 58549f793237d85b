"""Where a result was made: the commit of the source, and whether its files had changed since.

Source of the expected values: Git's own answers in a repository made here.
"""

import subprocess

import pytest

from legible.runs.provenance import describe_commit, find_commit


@pytest.fixture
def package(tmp_path):
    """A package under git, with a single commit."""
    source = tmp_path / "src"
    (source / "room").mkdir(parents=True)
    (source / "__init__.py").touch()
    (source / "room" / "net.py").write_text("depth = 3\n")

    def git(*words):
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        return subprocess.check_output(["git", "-C", tmp_path, *who, *words], text=True).strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    return source, git("rev-parse", "--short=10", "HEAD")


@pytest.fixture(autouse=True)
def forget():
    """Ask git anew in each test."""
    find_commit.cache_clear()
    yield
    find_commit.cache_clear()


def test_the_commit_of_an_unchanged_source_is_recorded_bare(package):
    source, commit = package
    (source.parent / "notes.txt").touch()  # beside the source, so not part of it
    assert find_commit(source) == commit and len(commit) == 10


def test_a_change_in_any_folder_of_the_source_is_recorded(package):
    source, commit = package
    (source / "room" / "net.py").write_text("depth = 4\n")
    assert find_commit(source) == f"{commit}+"


def test_a_new_file_in_the_source_is_recorded_as_a_change(package):
    source, commit = package
    (source / "room" / "new.py").touch()
    assert find_commit(source) == f"{commit}+"


def test_outside_a_checkout_no_commit_is_recorded(tmp_path):
    (tmp_path / "__init__.py").touch()
    assert find_commit(tmp_path) == ""


def test_a_commit_is_described_in_words():
    assert describe_commit("650c36a577") == "650c36a577"
    assert describe_commit("650c36a577+") == "650c36a577 with local changes"
    assert describe_commit("") == "none recorded"
