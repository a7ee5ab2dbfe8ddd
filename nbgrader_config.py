"""nbgrader's own commands and its formgrader, run here, act on the class folder that NLPCOURSE_CLASS names.

Without that variable it is the demo's class. Inside a class folder they need nothing of this.
"""

import os
from pathlib import Path

from autograder.classroom.config import configure

place = os.environ.get("NLPCOURSE_CLASS") or Path(__file__).resolve().parent / "_build" / "demo" / "class"
root = Path(place).expanduser().resolve()
c = get_config()  # noqa: F821
configure(c, root)
load_subconfig("nbgrader_config.py", path=str(root))  # noqa: F821 - what the class itself adds
