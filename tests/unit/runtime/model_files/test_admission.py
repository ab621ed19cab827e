"""Rows E01-E07 and E10: hostile and broken model files are refused in words, and nothing else happens."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import pytest

from runtime.engine import engine
from runtime.engine.engine import load_engine
from runtime.library import models
from runtime.library.models import find_model, load_bundle
from runtime.model_files import admission, trial
from runtime.silhouettes.other_network import load_network
from runtime.system.errors import Refusal
from tests.unit.runtime.model_files import crafted, hostile


def refusal(path: Path) -> str:
    """What a user reads; the file is untouched."""
    before = path.read_bytes()
    with pytest.raises(Refusal) as caught:
        load_network(path)
    assert path.read_bytes() == before
    assert path.stem in str(caught.value)
    return str(caught.value)


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "other.onnx"
    path.write_bytes(data)
    return path


# E01


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>404</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git-lfs pointer"),
        (b"\x80\x04\x95\x10\x00cposix\nsystem", "pickle"),
        (b"PK\x03\x04archive/data.pkl", "PyTorch checkpoint"),
        (os.urandom(4096), "not an ONNX file"),
        (b"hello, I am text", "not an ONNX file"),
    ],
    ids=["empty", "html", "lfs", "pickle", "zip", "random", "text"],
)
def test_what_is_no_model_is_named(tmp_path: Path, data: bytes, words: str) -> None:
    assert words in refusal(written(tmp_path, data))


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_cut_off_models_are_refused(tmp_path: Path, keep: float) -> None:
    whole = crafted.network("person")
    text = refusal(written(tmp_path, whole[: int(keep * len(whole))]))
    assert "cut off" in text or "no xfactor description" in text


def test_a_model_without_or_with_half_a_description_is_refused(tmp_path: Path) -> None:
    assert "no xfactor description" in refusal(written(tmp_path, hostile.network_with(None)))
    assert "activation" in refusal(written(tmp_path, hostile.truncated_spec()))


def test_missing_and_special_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    (tmp_path / "dangling.onnx").symlink_to(tmp_path / "nowhere")
    for name in ("absent.onnx", "pipe.onnx", "dangling.onnx"):
        with pytest.raises(Refusal):
            load_network(tmp_path / name)
    with pytest.raises(Refusal, match="not a regular file"):
        models.read_model(Path("/dev/zero"))


def test_a_wrong_hash_is_refused_with_both_and_nothing_is_deleted(tmp_path: Path) -> None:
    folder = crafted.bundle(tmp_path / "tiny")
    changed = crafted.trunk(seed=9)
    expected = (folder / "SHA256SUMS").read_text().split()[4]
    (folder / "trunk.onnx").write_bytes(changed)
    with pytest.raises(Refusal, match="SHA-256") as caught:
        load_bundle(find_model(folder))
    assert models.sha256(changed)[:16] in str(caught.value)
    assert expected[:16] in str(caught.value)
    assert (folder / "trunk.onnx").read_bytes() == changed


def test_stages_of_two_models_are_not_mixed(tmp_path: Path) -> None:
    folder, other = crafted.bundle(tmp_path / "a"), crafted.bundle(tmp_path / "b", seed=7)
    (folder / "head.onnx").write_bytes((other / "head.onnx").read_bytes())
    crafted.write_sums(folder)
    with pytest.raises(Refusal, match="belongs to another trunk"):
        load_bundle(find_model(folder))


# E02


@pytest.mark.parametrize(
    "location", ["../w.bin", "a/../../w.bin", "/etc/passwd", "w.bin", "link.bin", "hard.bin"]
)
def test_weights_in_another_file_are_refused_and_not_opened(tmp_path: Path, location: str) -> None:
    outside = tmp_path / "w.bin"
    os.mkfifo(outside)  # whoever opens it waits for ever and is killed with other words
    (tmp_path / "link.bin").symlink_to(outside)
    os.link(outside, tmp_path / "hard.bin")
    assert "lie in another file" in refusal(written(tmp_path, hostile.external(location)))
    assert "lie in another file" in trial.reason_against({"network": hostile.external(location, offset=-8)})


# E03, E04, E05


HOSTILE = {
    "function chain": (hostile.function_chain, "not a standard one"),
    "nested graphs": (hostile.nested_graphs, "operator If"),
    "cyclic graph": (hostile.cyclic, "cannot load it"),
    "constant bomb": (hostile.constant_bomb, ""),
    "tile bomb": (hostile.tile_bomb, ""),
    "endless loop": (hostile.endless_loop, "operator Loop"),
    "2^40 sizes": (hostile.huge_dims, "values"),
    "negative sizes": (hostile.negative_dims, "negative"),
    "custom operator": (hostile.foreign_op, "PyOp"),
    "unknown operator": (hostile.unknown_op, "operator Teleport needs is decided while it runs"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_graphs_are_refused_and_the_program_lives(tmp_path: Path, case: str) -> None:
    build, words = HOSTILE[case]
    path = written(tmp_path, build())
    before, started = _peak_mb(), time.monotonic()
    assert words in refusal(path)
    assert time.monotonic() - started < 20
    assert _peak_mb() - before < 100


BEHIND_THE_WALK = {
    "function chain": hostile.function_chain,
    "constant bomb": hostile.constant_bomb,
    "nested graphs": hostile.nested_graphs,
    "external data": lambda: hostile.external("/etc/passwd"),
}


@pytest.mark.parametrize("case", BEHIND_THE_WALK)
def test_what_the_walk_would_miss_ends_in_the_child(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second line of defence alone: the runtime refuses, crashes or runs out of memory, in the child."""
    code = (
        "import sys; from runtime.model_files import trial; trial.check_structure = lambda data: None; "
        "from runtime.model_files.probe import main; sys.exit(main())"
    )
    monkeypatch.setattr(admission, "CHILD", ("-c", code))
    reason = admission.try_in_child({"network": BEHIND_THE_WALK[case]()})
    assert "malformed" in reason or "cannot load" in reason or "failed on a test picture" in reason


def test_a_trial_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "CHILD", ("-c", "import time; time.sleep(60)"))
    monkeypatch.setattr(admission, "TRIAL_S", 0.3)
    assert "did not finish" in admission.try_in_child({"network": crafted.network("person")})


AS_TRIAL = (
    "import sys, time; from runtime.model_files import probe, trial; "
    "trial.reason_against = lambda stages: {}; sys.exit(probe.main())"
)


def test_the_limit_is_of_processor_time_not_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine keeps a good model waiting; one that computes for ever is stopped as early there."""
    monkeypatch.setattr(admission, "TRIAL_S", 3)
    monkeypatch.setattr(admission, "PATIENCE", 100)
    monkeypatch.setattr(admission, "CHILD", ("-c", AS_TRIAL.format("time.sleep(3.2) or ''")))
    assert admission.try_in_child({"network": b""}) == ""
    monkeypatch.setattr(admission, "CHILD", ("-c", AS_TRIAL.format("any(iter(int, 1))")))
    assert "3 s of processor time" in admission.try_in_child({"network": b""})


def test_e15_a_check_that_breaks_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "CHILD", ("-c", "print('nonsense')"))
    assert "could not be checked" in admission.try_in_child({"network": crafted.network("person")})


def test_no_custom_operators_and_no_provider_guessing(repository: Path) -> None:
    source = "".join(p.read_text() for p in (repository / "app").rglob("*.py"))
    assert "register_custom_ops_library" not in source
    assert "get_available_providers(" not in source.replace("`get_available_providers()`", "")


# E06, E07


@pytest.mark.parametrize("case", hostile.WRONG_INTERFACES)
def test_e06_wrong_interfaces_are_refused_at_load(case: str) -> None:
    reason = trial.reason_against({"network": hostile.wrong_interface(case)})
    assert "expected" in reason or "unexpected" in reason or "not a probability" in reason or "fail" in reason


def test_a_wrong_number_of_classes_is_refused() -> None:
    assert trial.reason_against({"network": crafted.network("parts")}) == ""
    reason = trial.reason_against({"network": hostile.fewer_classes()})
    assert "expected shape" in reason or "cannot load" in reason


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_dead_weights_are_refused(value: float) -> None:
    reason = trial.reason_against({"network": hostile.wrong_weights(value)})
    assert "not a probability" in reason or "everywhere" in reason


def test_a_whole_bundle_passes_its_trial(tmp_path: Path) -> None:
    assert load_engine(crafted.bundle(tmp_path / "tiny")).name == "tiny"


def test_the_active_model_goes_on_after_a_refusal(tmp_path: Path) -> None:
    active = load_engine(crafted.bundle(tmp_path / "tiny"))
    before = active.parsing(crafted.frame()).labels
    refusal(written(tmp_path, hostile.unknown_op()))
    assert (active.parsing(crafted.frame()).labels == before).all()


def test_a_trial_happens_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = crafted.bundle(tmp_path / "tiny")
    load_engine(folder)
    monkeypatch.setattr(admission, "CHILD", ("-c", "raise SystemExit(1)"))
    load_engine(folder)


def test_shipped_models_are_known_by_their_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "CHILD", ("-c", "raise SystemExit(1)"))
    assert engine.load_engine("factored-s31").name == "factored-s31"


# E10


def test_files_that_others_can_change_carry_a_warning(tmp_path: Path) -> None:
    folder = crafted.bundle(tmp_path / "tiny")
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert find_model(folder).notices == ()
    (folder / "trunk.onnx").chmod(0o666)
    assert "changed by other users" in find_model(folder).notices[0]


def test_replacing_or_truncating_a_file_in_use_changes_nothing(tmp_path: Path) -> None:
    folder = crafted.bundle(tmp_path / "tiny")
    running = load_engine(folder)
    before = running.parsing(crafted.frame()).labels
    for file in folder.glob("*.onnx"):
        with file.open("r+b") as f:
            f.truncate(10)
    assert (running.parsing(crafted.frame()).labels == before).all()


def test_unreadable_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = crafted.bundle(tmp_path / "tiny")
    real = os.open

    def refuse(path: object, *args: int, **kwargs: object) -> int:
        if str(path).endswith("head.onnx"):
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Refusal, match="Permission denied"):
        load_bundle(find_model(folder))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
