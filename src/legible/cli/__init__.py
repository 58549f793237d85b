"""The command line. stdout is for data, stderr for messages.

PyTorch is imported only inside the commands that train.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from legible.cli import catalogues, clean, evaluate, generate, models, read, reproduce, serve, tour, train
from legible.cli.screen import say
from legible.errors import ExitCode, LegibleError, MissingExtra, OutputError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",  # paragraphs are filled to the width of the screen
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Make ink readable: read handwritten digits, clean scanned pages, generate new digits; and train, "
    "compare and reproduce the networks that do it. New here? legible tour",
    epilog="Exit codes: 0 ok, 1 bug, 2 arguments, 3 input, 4 model, 5 missing part, 6 output, "
    "7 results differ, 130 interrupted.",
)
USE, WORKBENCH = "Use", "Train and compare"
app.command("tour", rich_help_panel=USE)(tour.tour)
app.command("read", rich_help_panel=USE)(read.read)
app.command("clean", rich_help_panel=USE)(clean.clean)
app.command("generate", rich_help_panel=USE)(generate.generate)
app.command("serve", rich_help_panel=USE)(serve.serve)
app.command("train", rich_help_panel=WORKBENCH)(train.train)
app.command("evaluate", rich_help_panel=WORKBENCH)(evaluate.evaluate)
app.command("reproduce", rich_help_panel=WORKBENCH)(reproduce.reproduce)
app.add_typer(models.app, name="models", rich_help_panel=WORKBENCH)
app.add_typer(catalogues.datasets, name="datasets", rich_help_panel=WORKBENCH)
app.add_typer(catalogues.noises, name="noise", rich_help_panel=WORKBENCH)

EXTRAS = dict.fromkeys(("torch", "sklearn", "matplotlib", "safetensors", "onnx", "h5py"), "train")
EXTRAS |= dict.fromkeys(
    ("fastapi", "uvicorn", "starlette", "pydantic", "python_multipart", "prometheus_client"), "web"
)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"legible {version('legible')}")
        raise typer.Exit


@app.callback()
def _start(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and exit with the right code; no traceback for errors that users can fix."""
    # read by PyTorch when it is loaded: memory pages of 2 MB give large nets 500 times fewer page faults
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    try:
        app()
    except LegibleError as error:
        _leave(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        _leave(str(MissingExtra.of(EXTRAS[error.name], "this command")), ExitCode.MISSING)
    except KeyboardInterrupt:
        _leave("interrupted.", ExitCode.INTERRUPTED)
    except MemoryError:
        _leave("not enough memory. Take fewer or smaller images, or a smaller --batch-size.", ExitCode.INPUT)
    except OSError as error:
        _leave(str(OutputError(f"{error.filename or 'a file'}: {error.strerror or error}.")), ExitCode.OUTPUT)


def _leave(sentence: str, code: ExitCode) -> None:
    say(f"legible: {sentence}")
    sys.exit(code)
