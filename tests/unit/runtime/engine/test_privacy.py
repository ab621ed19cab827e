"""Row J01: importing and running the engine asks for no address and opens no connection."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SPY = """
import os, sys

WATCHED = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind")

def note(event, args):
    if event in WATCHED:
        write(f"{event} {args}")

def write(line):
    with open(os.environ["NETLOG"], "a") as f:
        f.write(f"{os.getpid()} {line}\\n")

sys.addaudithook(note)
write("started")
"""

RUN = """
import os, sys, time
from pathlib import Path
from runtime.engine.engine import load_engine
from tests.unit.runtime.model_files import crafted

folder = Path(sys.argv[1])
load_engine("factored-s31").parse(crafted.frame(320, 240))
load_engine(crafted.bundle(folder / "tiny")).parse(crafted.frame())
time.sleep(0.5)  # the runtime's telemetry works in a thread of its own
links = [p.readlink() for p in Path("/proc/self/fd").iterdir() if p.is_symlink()]
sys.exit(any(str(link).startswith("socket:") for link in links))
"""


def test_no_address_is_asked_for_and_nothing_is_connected(tmp_path: Path) -> None:
    """Python's calls by an audit hook; the runtime's own, in C, by its traces: sockets, a queue in ~/.cache.

    Without ORT_DISABLE_TELEMETRY that queue is there after half a second (tried with 1.31.1).
    """
    (tmp_path / "sitecustomize.py").write_text(SPY)
    log, home = tmp_path / "net.log", tmp_path / "home"
    home.mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}",
        "NETLOG": str(log),
        "HOME": str(home),
    }
    subprocess.run([sys.executable, "-c", RUN, str(tmp_path)], env=environment, check=True, timeout=60)
    lines = log.read_text().splitlines()
    assert len({line.split()[0] for line in lines}) >= 2, (
        "the program and the trial's child were both watched"
    )
    assert [line for line in lines if not line.endswith("started")] == []
    assert not list(home.rglob("*onnxruntime*"))


def test_the_variable_is_set_before_the_import() -> None:
    code = (
        "import os, sys, runtime.engine.onnx as r; "
        "sys.exit(os.environ['ORT_DISABLE_TELEMETRY'] != '1' or 'onnxruntime' not in sys.modules)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_one_place_imports_the_runtime(repository: Path) -> None:
    importers = [
        p.relative_to(repository).as_posix()
        for folder in (
            "app",
            "benchmarks",
            "experiments",
            "export",
            "personalize",
            "runtime",
            "synthetic",
            "training",
        )
        for p in (repository / folder).rglob("*.py")
        if "import onnxruntime" in p.read_text() or "from onnxruntime" in p.read_text()
    ]
    assert [i for i in importers if i.startswith(("app/", "runtime/"))] == ["runtime/engine/onnx.py"]
