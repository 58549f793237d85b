"""`python -m legible` is the command `legible`."""

from legible.cli import main

main()
