"""What the print pins down: the committed set of cohorts and the ranges found for it."""

from helpers.cohort import ROOT

FOLDER = ROOT / "data" / "ensemble"
