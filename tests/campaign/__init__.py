"""Campaigns: many trials that try to make the package fail. Run ``python -m tests.campaign --help``."""

import sys
from pathlib import Path

# As pytest does: what tests share is imported as `helpers`
sys.path.insert(0, str(Path(__file__).parents[1]))
