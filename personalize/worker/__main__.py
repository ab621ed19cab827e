"""`python -m personalize.worker JOB_DIR`: personalise, with messages in JSON lines.

Reads orders from standard input: the line `stop` finishes with the best so far, its end cancels. Run again on
the same folder it goes on at the first unfinished phase. Exit codes are those of `personalize.messages`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"  # read once, when numpy and torch are loaded

if __name__ == "__main__":
    from runtime.system.processes import end_with_parent

    end_with_parent()  # before torch is loaded, which takes seconds
    from personalize.worker.process import main

    sys.exit(main([Path(a) for a in sys.argv[1:]]))
