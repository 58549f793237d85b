"""Studies: the published reports as lists of runs, with the published figures beside ours.

Each report is one file with one registered function that returns a Study.
"""

from __future__ import annotations

from legible.studies.study import STUDIES as STUDIES
