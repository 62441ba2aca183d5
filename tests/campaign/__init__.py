"""Campaigns: many trials that try to make the package fail. Run ``python -m tests.campaign --help``."""

import os
import sys
from pathlib import Path

# As pytest does: what tests share is imported as `helpers`
sys.path.insert(0, str(Path(__file__).parents[1]))
# The networks are tiny, and processes are forked: no threads of torch's
os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
# Nothing comes from the hub
os.environ["HF_HUB_OFFLINE"] = "1"
