"""Makes the tests' small model importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for `tiny_model`
