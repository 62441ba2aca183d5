"""Where things are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Corpora and reference numbers, which may lie beside the checkout.
SHARED = ROOT.parent / "shared"
