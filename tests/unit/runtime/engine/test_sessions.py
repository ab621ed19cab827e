"""Provider truth, and sessions that repair themselves (rows G04 and G05)."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from runtime.engine import providers, sessions
from runtime.engine.engine import load_engine
from runtime.engine.providers import Provider, choose
from runtime.engine.sessions import NoResultError, Session, read_model, sha256
from runtime.system.errors import Refusal
from tests.unit.runtime.model_files import crafted, hostile

FEEDS = {"image": np.zeros((1, 64, 96, 3), np.uint8)}


def session(provider: Provider = Provider.CPU) -> Session:
    return Session("network", crafted.network("person"), provider)


def test_a_session_knows_what_it_is() -> None:
    data = crafted.network("person")
    made = Session("network", data, Provider.CPU)
    assert made.provider is Provider.CPU
    assert made.sha256 == sha256(data)
    assert (made.inputs, made.outputs) == (("image",), ("person",))
    (person,) = made.run(FEEDS, ("person",))
    assert person.shape == (1, 1, 8, 12)


def test_cuda_is_not_believed_without_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session asked for CUDA on a machine without it comes back on the CPU; we say CPU."""
    if not providers.why_not_cuda():
        pytest.skip("CUDA runs on this machine")
    assert choose("auto") is Provider.CPU
    assert session(Provider.CUDA).provider is Provider.CPU
    monkeypatch.setattr(providers, "why_not_cuda", providers._run_on_cuda)
    assert choose("auto") is Provider.CPU


def test_strict_cuda_is_refused_with_a_remedy(tmp_path: Path) -> None:
    if not providers.why_not_cuda():
        pytest.skip("CUDA runs on this machine")
    with pytest.raises(Refusal, match="device cuda") as caught:
        load_engine(crafted.bundle(tmp_path / "tiny"), device="cuda")
    assert "choose the CPU" in caught.value.remedy
    with pytest.raises(Refusal, match="no such device"):
        choose("tpu")


def test_providers_are_named_explicitly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stock package lists Azure beside the CPU; nothing that we did not ask for is ever used."""
    asked = []
    real = sessions.ort.InferenceSession

    def spy(data: bytes, options: object, providers: list[object]) -> object:
        asked.append(providers)
        return real(data, options, providers=providers)

    monkeypatch.setattr(sessions.ort, "InferenceSession", spy)
    session()
    session(Provider.CUDA)
    assert asked[0] == ["CPUExecutionProvider"]
    assert [p if isinstance(p, str) else p[0] for p in asked[1]] == [
        "CUDAExecutionProvider",
        "CPUExecutionProvider",
    ]


class Failing:
    """A runtime session that fails as long as it is told to."""

    fails = True

    def __init__(self, real: object, provider: str) -> None:
        self.real, self.provider = real, provider

    def run(self, *args: object) -> object:
        if Failing.fails:
            raise RuntimeError("CUDA error 719: the device is lost")
        return self.real.run(*args)  # type: ignore[attr-defined]

    def get_providers(self) -> list[str]:
        return [self.provider]


def test_repair_three_errors_a_rebuild_twice_then_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = session()
    real_build, built = sessions._build, []
    monkeypatch.setattr(Failing, "fails", True)

    def build(data: bytes, provider: Provider, threads: int, *, bounded: bool) -> Failing:
        built.append(provider)
        return Failing(real_build(data, Provider.CPU, threads, bounded=bounded), provider.value)

    monkeypatch.setattr(sessions, "_build", build)
    broken._session = Failing(broken._session, Provider.CUDA.value)
    broken.provider = broken._wanted = Provider.CUDA

    def fail(times: int) -> None:
        for _ in range(times):
            with pytest.raises(NoResultError, match="device is lost"):
                broken.run(FEEDS, ("person",))

    fail(2)
    assert (built, broken.notice) == ([], "")
    fail(1)
    assert built == [Provider.CUDA]
    assert "was rebuilt on CUDA" in broken.notice
    fail(3)
    assert built == [Provider.CUDA] * 2
    fail(3)
    assert built == [Provider.CUDA, Provider.CUDA, Provider.CPU]
    assert broken.provider is Provider.CPU
    assert "now runs on CPU" in broken.notice
    fail(10)
    assert len(built) == 3, "a session that fails on the CPU too is not built for ever"
    monkeypatch.setattr(Failing, "fails", False)
    for _ in range(sessions.RUNS_TO_FORGET + 1):
        assert broken.run(FEEDS, ("person",))[0].shape == (1, 1, 8, 12)
    assert "now runs on CPU" in broken.notice, "that it is slower stays worth saying"


def test_a_repair_is_forgotten_when_it_held() -> None:
    made = session()
    for _ in range(3):
        with pytest.raises(NoResultError):
            made.run({"image": np.zeros((1, 64, 96), np.uint8)}, ("person",))
    assert "was rebuilt on CPU" in made.notice
    for _ in range(sessions.RUNS_TO_FORGET):
        made.run(FEEDS, ("person",))
    assert made.notice == ""


def test_a_single_bad_frame_is_not_the_sessions_fault() -> None:
    made = session()
    for _ in range(5):
        for _ in range(2):
            with pytest.raises(NoResultError):
                made.run({"image": np.zeros((1, 64, 96), np.uint8)}, ("person",))
        made.run(FEEDS, ("person",))
    assert made.rebuilds == 0


def test_not_a_model_is_a_refusal() -> None:
    with pytest.raises(Refusal, match="cannot load it"):
        Session("trunk", b"nonsense", Provider.CPU)


def test_reading_refuses_what_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_MODEL_BYTES", 100)
    path = tmp_path / "big.onnx"
    path.write_bytes(bytes(101))
    with pytest.raises(Refusal, match="more than"):
        read_model(path)


@pytest.mark.gpu
def test_cuda_really_runs() -> None:
    if providers.why_not_cuda():
        pytest.skip(f"CUDA does not run here: {providers.why_not_cuda()}")
    assert load_engine("factored-s31", device="cuda").provider == "CUDA"


def test_nothing_of_the_engine_loads_qt_torch_or_onnx() -> None:
    import subprocess

    code = (
        "import sys, runtime.engine.engine, runtime.silhouettes.other_network, "
        "runtime.silhouettes.grabcut, runtime.silhouettes.mask_files, "
        "runtime.silhouettes.chroma_key, runtime.silhouettes.background, runtime.model_files.probe; "
        "bad = [m for m in ('torch', 'PyQt6', 'onnx', 'numba', 'scipy') if m in sys.modules]; "
        "print(bad); sys.exit(bool(bad))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_foreign_session_takes_no_more_memory_than_it_may() -> None:
    """3 GB for these features; a factor of unknown origin fails, and works on where it needs less."""
    data = hostile.grows_with_the_square(crafted.trunk())
    factor = Session("factor", data, Provider.CPU, bounded=True)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NoResultError, match="more than 2 GB"):
        factor.run({"features": np.zeros((1, crafted.CHANNELS, 60, 60), np.float32)}, ("person",))
    (person,) = factor.run({"features": np.zeros((1, crafted.CHANNELS, 12, 8), np.float32)}, ("person",))
    assert person.shape == (1, 1, 12, 8)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 2 << 20
