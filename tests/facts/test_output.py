"""Files are written completely or not at all, and never overwritten unless asked.

Source of the expected values: what the file system holds afterwards.
"""

import errno
import os
import stat
import subprocess
import sys

import pytest

from legible.errors import ExitCode, OutputError
from legible.output import append_line, check_free, new_file, new_folder


def left_in(folder):
    """All files in a folder, including hidden ones, with their texts."""
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_a_file_appears_only_after_its_block_succeeds(tmp_path):
    path = tmp_path / "new" / "table.txt"
    with new_file(path) as temporary:
        temporary.write_text("half")
        assert not path.exists() and temporary.parent == path.parent and temporary.suffix == ".txt"
        temporary.write_text("whole")
    assert left_in(tmp_path) == {"new/table.txt": "whole"}
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask  # as any other program's files


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()])
def test_a_failing_block_leaves_no_file_and_no_changes(tmp_path, error):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.txt").write_text("old")
    for overwrite, target in ((True, "kept/a.txt"), (False, "kept/b.txt")):
        with pytest.raises(type(error)), new_file(tmp_path / target, overwrite=overwrite) as temporary:
            temporary.write_text("new")
            raise error
    for overwrite, target in ((True, "kept"), (False, "other")):
        with pytest.raises(type(error)), new_folder(tmp_path / target, overwrite=overwrite) as temporary:
            (temporary / "a.txt").write_text("new")
            raise error
    assert left_in(tmp_path) == {"kept/a.txt": "old"}
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


def test_files_are_overwritten_only_if_asked(tmp_path):
    with new_folder(tmp_path / "run") as temporary:
        (temporary / "a.txt").write_text("one")
    for writer in (new_folder, new_file):
        with pytest.raises(OutputError, match=r"run exists already\..*--overwrite"), writer(tmp_path / "run"):
            pytest.fail("the block must not start")
    with pytest.raises(OutputError, match="exists already"):
        check_free(tmp_path / "run")
    check_free(tmp_path / "run", overwrite=True)
    with new_folder(tmp_path / "run", overwrite=True) as temporary:
        (temporary / "b.txt").write_text("two")
        assert left_in(tmp_path / "run") == {"a.txt": "one"}  # stands until the new one is complete
    assert left_in(tmp_path) == {"run/b.txt": "two"}
    with new_file(tmp_path / "run" / "b.txt", overwrite=True) as path:
        path.write_text("three")
    assert left_in(tmp_path) == {"run/b.txt": "three"}


@pytest.mark.parametrize("writer", [new_file, new_folder])
def test_a_full_disk_is_an_error_in_one_sentence_and_leaves_no_file(tmp_path, writer):
    with pytest.raises(OutputError) as caught, writer(tmp_path / "big") as temporary:
        target = temporary if writer is new_file else temporary / "part"
        target.write_text("x" * 1000)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert str(caught.value).startswith(f"cannot write {tmp_path / 'big'}: No space left on device.")
    assert caught.value.exit_code == ExitCode.OUTPUT == 6
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", [new_file, new_folder])
def test_an_unwritable_path_is_an_output_error(tmp_path, writer):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="cannot write"), writer(tmp_path / "file" / "below"):
        pytest.fail("the block must not start")
    assert left_in(tmp_path) == {"file": "not a folder"}


def test_an_old_folder_is_restored_if_the_new_one_cannot_be_renamed(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a.txt").write_text("old")
    rename = os.rename

    def fail_for_new(source, target, **more):
        if str(target) == str(tmp_path / "run") and ".old." not in str(source):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        rename(source, target, **more)

    def fail_whenever_in_place(source, target, **more):
        if str(target) == str(tmp_path / "run"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        rename(source, target, **more)

    monkeypatch.setattr(os, "rename", fail_for_new)
    with pytest.raises(OutputError), new_folder(tmp_path / "run", overwrite=True) as temporary:
        (temporary / "a.txt").write_text("new")
    assert left_in(tmp_path) == {"run/a.txt": "old"}
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    monkeypatch.setattr(os, "rename", fail_whenever_in_place)
    with pytest.raises(OutputError), new_folder(tmp_path / "run", overwrite=True) as temporary:
        (temporary / "a.txt").write_text("new")
    assert list(left_in(tmp_path).values()) == ["old"]  # set aside, but never lost


WRITE_TOO_MUCH = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from pathlib import Path
from legible.cli import main
import legible.cli, legible.output, typer

app = typer.Typer()
@app.command()
def write(path: Path) -> None:
    with legible.output.new_file(path) as temporary:
        temporary.write_bytes(bytes(1_000_000))
legible.cli.app = app
sys.argv = ["legible", sys.argv[1]]
main()
"""


def test_a_real_file_size_limit_gives_exit_code_6_one_line_and_no_file(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WRITE_TOO_MUCH, str(tmp_path / "big.bin")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith("legible: cannot write ") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_lines_are_appended(tmp_path):
    for line in ("one", "two"):
        append_line(tmp_path / "new" / "rows.jsonl", line)
    assert (tmp_path / "new" / "rows.jsonl").read_text() == "one\ntwo\n"
    with pytest.raises(OutputError, match="cannot write"):
        append_line(tmp_path / "new", "into a folder")
