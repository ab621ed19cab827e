"""`python -m experiments.personalization_run [--out DIR] [--clips N] [--ablated N]`: run it, write its page.

What is finished is kept in the work folder; the same command goes on where it was stopped.
"""

from __future__ import annotations

import os
import sys

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"  # read once, when numpy and torch are loaded

if __name__ == "__main__":
    from experiments.personalization_run.runs import main

    sys.exit(main())
