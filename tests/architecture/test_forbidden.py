"""What may stand nowhere in the program (rows E05, E13, J07), read from the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.architecture.sources import ROOT, Source, everything, product, tracked

CALLS = {
    "eval": "runs text as code",
    "exec": "runs text as code",
    "os.system": "goes through a shell",
    "os.popen": "goes through a shell",
    "os.fork": "a forked ONNX Runtime session crashes; spawn",
    "torch.load": "unpickles; use safetensors",
    "yaml.load": "builds any object",
    "tempfile.mktemp": "another program may be faster",
    "av.open": "only runtime/media/opening.py and runtime/media/video_file.py may",
    "cv2.VideoWriter": "reports success on a full disk",
}
ATTRIBUTES = {
    "register_custom_ops_library": "loads a foreign library into the process",
    "get_available_providers": "lists what does not run",
    "extractall": "follows whatever path an archive names",
    "processEvents": "re-enters the event loop",
}
MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
#: Where a call of the list above is the one place that is meant to do it.
ALLOWED = {
    ("runtime/media/opening.py", "av.open"),
    ("runtime/media/video_file.py", "av.open"),
    ("runtime/media/cameras.py", "av.open"),
    ("synthetic/footage/files.py", "av.open"),
}


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a call's function, or nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def offences(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        at = f"{source.name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in CALLS and (source.name, name) not in ALLOWED:
                yield f"{at}: {name}: {CALLS[name]}"
            if any(k.arg == "shell" and getattr(k.value, "value", True) for k in node.keywords):
                yield f"{at}: shell=True"
            if any(k.arg == "allow_pickle" and getattr(k.value, "value", True) for k in node.keywords):
                yield f"{at}: allow_pickle=True"
        elif isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            yield f"{at}: {node.attr}: {ATTRIBUTES[node.attr]}"
        elif isinstance(node, ast.Import):
            yield from (f"{at}: {a.name}" for a in node.names if a.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield f"{at}: {node.module}"


def test_nothing_forbidden_is_used() -> None:
    assert [o for s in product() for o in offences(s)] == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "eval('1')",
        "subprocess.run('ls', shell=True)",
        "torch.load(p, weights_only=True)",
        "np.load(p, allow_pickle=True)",
        "options.register_custom_ops_library('x.so')",
        "ort.get_available_providers()",
        "av.open(path)",
    ],
)
def test_the_check_sees_it(code: str) -> None:
    planted = Source(ROOT / "app" / "planted.py", code, ast.parse(code))
    assert len(list(offences(planted))) == 1


def runtime_imports(source: Source) -> Iterator[int]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import) and any(a.name.split(".")[0] == "onnxruntime" for a in node.names):
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "onnxruntime":
            yield node.lineno


def telemetry_lines(source: Source) -> list[int]:
    """Lines with `os.environ["ORT_DISABLE_TELEMETRY"] = "1"`."""
    return [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assign) and ast.unparse(node) == "os.environ['ORT_DISABLE_TELEMETRY'] = '1'"
    ]


def test_telemetry_is_off_before_every_import_of_the_runtime() -> None:
    late = [
        f"{s.name}:{line}"
        for s in everything()
        if not s.name.startswith("tests/")  # tests/conftest.py does it for all of them
        for line in runtime_imports(s)
        if not any(set_at < line for set_at in telemetry_lines(s))
    ]
    assert late == []


def test_the_app_imports_the_runtime_in_one_place() -> None:
    assert {
        s.name for s in product() if s.name.startswith(("app/", "runtime/")) and list(runtime_imports(s))
    } == {"runtime/engine/onnx.py"}


def test_no_path_of_one_machine() -> None:
    machine = ("/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/")
    text = {".py", ".md", ".toml", ".txt", ".json", ".cfg", ".yml", ".yaml", ".sh", ""}
    found = [
        f"{p.relative_to(ROOT)}: {m}"
        for p in tracked()
        if PurePosixPath(p).suffix in text and p.name != "LICENSE"
        for m in machine
        if m in p.read_text(encoding="utf-8", errors="replace")
    ]
    assert found == []
