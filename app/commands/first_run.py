"""First run without a display (`make run`): parse the sample clip, and print where the results are.

`python -m app.commands.first_run [DIR]`
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from app.commands.contact_sheet import contact_sheet
from runtime.system import crash_log, paths
from runtime.system.processes import environment


def first_run(out: Path) -> int:
    """Parse the sample clip into `out`, make a contact sheet of the overlay, print where both are.

    Returns:
        Exit code of the parsing.
    """
    clip = paths.sample_clip()
    parse = [sys.executable, "-m", "app", "parse", str(clip), "--out", str(out), "--save", "labels,overlay"]
    done = subprocess.run(parse, env=environment(), check=False)
    if done.returncode != 0:
        return done.returncode
    video = out / clip.stem / "overlay.mp4"
    sheet = out / clip.stem / "contact-sheet.jpg"
    contact_sheet(video, sheet)
    labels = len(list((out / clip.stem / "labels").glob("*.png")))
    lines = (
        f"overlay video:  {video}",
        f"contact sheet:  {sheet}",
        f"labels:         {labels} pictures in {out / clip.stem / 'labels'}",
        "your own clip:  .venv/bin/xfactor parse CLIP --out DIR",
    )
    print("\n" + "\n".join(lines))  # noqa: T201 the command's output
    return 0


if __name__ == "__main__":
    crash_log.install()
    sys.exit(first_run(Path(sys.argv[1] if len(sys.argv) > 1 else "out")))
