"""Studies: the published reports as lists of runs, with the published figures beside ours.

Each report is one file with one registered function that returns a Study.
"""

from __future__ import annotations

from legible.studies import records as records
from legible.studies import report_a as report_a
from legible.studies import report_b as report_b
from legible.studies import report_c as report_c
from legible.studies import report_d as report_d
from legible.studies import report_e as report_e
from legible.studies.plan import STUDIES as STUDIES
