"""Choosing sources, models and X factors: the old one works until the new one is ready."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.live.model_choice import ModelChoice
from app.live.pipeline import Pipeline
from app.workspace import Workspace
from app.xfactor import XFactor
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.frames import Frame
from runtime.system.errors import Refusal
from runtime.system.jobs import BackgroundJobs
from tests.unit.runtime.model_files import crafted


class Loaders:
    """The real loader, at a small size; can be made to wait."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.calls: list[str] = []

    def __call__(self, bundle: str, *, device: str, threads: int, size: NetworkSize | None) -> Engine:
        del device
        self.calls.append(bundle)
        self.gate.wait(10)
        return load_engine(bundle, device="cpu", threads=threads, size=size or NetworkSize(64))


@pytest.fixture
def loaders() -> Loaders:
    return Loaders()


@pytest.fixture
def workspace(loaders):
    pipeline = Pipeline(lambda: None)
    pipeline.start()
    jobs = BackgroundJobs(lambda: None)
    made = Workspace(pipeline, jobs, loaders)
    made.test = (pipeline, jobs)
    yield made
    loaders.gate.set()
    jobs.stop().join(10)
    assert pipeline.stop() == []


def settle(workspace: Workspace, condition) -> None:
    """What the window does after every notification, until `condition`."""
    _, jobs = workspace.test
    end_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end_s, "it did not happen"
        jobs.collect()
        time.sleep(0.005)


@pytest.fixture
def loaded(workspace) -> Workspace:
    workspace.load(ModelChoice("factored-s31"))
    settle(workspace, lambda: workspace.engine is not None)
    return workspace


def words(workspace: Workspace) -> str:
    return " | ".join(n.text for n in workspace.test[0].notices.drain())


def green(width: int = 64, height: int = 36) -> Frame:
    image = np.zeros((height, width, 3), np.uint8)
    image[:] = (0, 177, 64)
    image[10:20, 10:30] = (180, 120, 100)
    return Frame(image, 0, 0.0, time.monotonic())


def test_the_loaded_model_parses_the_next_frame(loaded) -> None:
    assert loaded.test[0].engine is loaded.engine
    assert loaded.engine.factor_name == loaded.engine.with_factor(None).factor_name


def test_a_refused_model_leaves_the_old_one_at_work(loaded, tmp_path) -> None:
    before = loaded.engine
    loaded.load(ModelChoice(str(tmp_path / "nothing.onnx")))
    _, jobs = loaded.test
    ended: list = []
    settle(loaded, lambda: ended.extend(jobs.collect()) or ended)
    assert "no such model" in ended[0].error
    assert ended[0].error.endswith("; the model in use stays")
    assert loaded.engine is before
    assert loaded.choice.model == "factored-s31"


def test_the_old_model_works_while_a_new_one_loads(loaded, loaders) -> None:
    before = loaded.engine
    loaders.gate.clear()
    loaded.load(ModelChoice("factored-s31"))
    time.sleep(0.05)
    assert loaded.test[0].engine is before
    loaders.gate.set()
    settle(loaded, lambda: loaded.engine is not before)


def test_the_newest_choice_wins(workspace, loaders) -> None:
    loaders.gate.clear()
    workspace.load(ModelChoice("factored-s31"))
    workspace.load(ModelChoice("factored-s31", size=96))
    loaders.gate.set()
    settle(workspace, lambda: workspace.engine is not None)
    assert workspace.engine.size.width == 96
    assert workspace.choice.size == 96


def test_swapping_there_and_back_keeps_what_was_learned(loaded) -> None:
    loaded.use_plate()
    plate = loaded.xfactor.source
    loaded.use_motion()
    assert (loaded.xfactor.key, loaded.previous.key) == ("motion", "plate")
    loaded.swap_back()
    assert loaded.xfactor.source is plate
    loaded.swap_back()
    assert loaded.xfactor.key == "motion"
    loaded.use_own()
    assert loaded.engine.factor_name == loaded.engine.with_factor(None).factor_name


def test_a_network_of_joints_takes_no_silhouette_and_says_so(loaded, tmp_path) -> None:
    path = tmp_path / "joints.onnx"
    path.write_bytes(crafted.joints())
    loaded.use_motion()
    before = loaded.engine
    loaded.load(ModelChoice(str(path)))
    settle(loaded, lambda: loaded.engine is not before)
    assert loaded.xfactor.key == "own"
    assert "no body parts" in words(loaded)
    assert loaded.use_brush() is None
    assert "no body parts" in words(loaded)
    assert len(loaded.engine.parse(green()).people) <= 1


def test_a_picked_colour_keys_the_frame(loaded) -> None:
    loaded.use_chroma(green(), 2, 2)
    parsing = loaded.engine.parsing(green())
    height, width = parsing.person.shape
    inside = parsing.person[height * 15 // 36, width * 20 // 64]
    outside = parsing.person[height // 18, width // 18]
    assert inside > 200
    assert outside < 60


def test_a_grey_colour_is_refused_and_nothing_changes(loaded) -> None:
    changes: list[int] = []
    loaded.on_changed = lambda: changes.append(1)
    grey = Frame(np.full((36, 64, 3), 128, np.uint8), 0, 0.0, 0.0)
    loaded.use_chroma(grey, 5, 5)
    assert loaded.xfactor.key == "own"
    assert "grey" in words(loaded)
    assert changes  # the menu takes its mark back


def test_masks_from_a_folder(loaded, tmp_path) -> None:
    from PIL import Image

    for index in range(3):
        Image.new("L", (64, 36), 255 * (index % 2)).save(tmp_path / f"{index:06d}.png")
    loaded.use_masks(tmp_path)
    settle(loaded, lambda: loaded.xfactor.key == "masks")
    frame = Frame(np.zeros((36, 64, 3), np.uint8), 1, 0.04, 0.0)
    assert loaded.engine.parsing(frame).person.min() == 255


def test_an_empty_folder_of_masks_is_refused_in_words(loaded, tmp_path) -> None:
    loaded.use_masks(tmp_path)
    ended: list = []
    settle(loaded, lambda: ended.extend(loaded.test[1].collect()) or ended)
    assert "numbered PNG" in ended[0].error
    assert loaded.xfactor.key == "own"


@pytest.mark.parametrize("kind", ["gone", "damaged", "another trunk"])
def test_a_remembered_factor_that_cannot_be_used_leaves_the_model_its_own(workspace, tmp_path, kind) -> None:
    """H05, H07: the window starts with the model, and says why without the factor."""
    path = tmp_path / "mine.factor.onnx"
    if kind == "damaged":
        path.write_bytes(b"not a factor")
    elif kind == "another trunk":
        crafted.bundle(tmp_path / "tiny")
        path.write_bytes((tmp_path / "tiny" / "factor.onnx").read_bytes())
    workspace.load(ModelChoice("factored-s31"), str(path))
    settle(workspace, lambda: workspace.engine is not None)
    assert workspace.xfactor.key == "own"
    assert "uses its own factor" in words(workspace)


def test_a_factor_of_another_model_gives_way_to_the_own_one(loaded) -> None:
    loaded.xfactor = XFactor("/x/mine.factor.onnx", "mine", loaded.engine.source, trunk="0" * 64)
    before = loaded.engine
    loaded.load(ModelChoice("factored-s31"))
    settle(loaded, lambda: loaded.engine is not before)
    assert loaded.xfactor.key == "own"
    assert "mine was made for another model" in words(loaded)


def test_a_background_plate_survives_another_model(loaded) -> None:
    loaded.use_plate()
    plate, before = loaded.xfactor.source, loaded.engine
    loaded.load(replace(loaded.choice, size=96))
    settle(loaded, lambda: loaded.engine is not before)
    assert loaded.xfactor.source is plate
    assert loaded.engine.factor_name == "background plate"


def test_the_size_changes_without_loading(loaded, loaders) -> None:
    calls = len(loaders.calls)
    loaded.resize(128)
    assert loaded.engine.size.width == 128
    loaded.resize(0)
    assert loaded.engine.size == NetworkSize.of_model(loaded.engine.spec.input_size)
    assert len(loaders.calls) == calls


def test_a_factor_is_not_taken_before_the_model(workspace, tmp_path) -> None:
    workspace.use_factor(tmp_path / "a.factor.onnx")
    assert "still loading" in words(workspace)


@pytest.mark.parametrize(
    "text", ["", "/no/such/file.mp4", "ftp://example.org/a.mp4", "https://youtube.com.evil.example/a"]
)
def test_what_cannot_be_opened_is_told_and_the_source_goes_on(workspace, text: str) -> None:
    assert workspace.open(text) is None
    assert workspace.source is None
    assert words(workspace)


def test_dropped_stages_open_the_folder_they_lie_in(loaded, monkeypatch) -> None:
    asked: list[ModelChoice] = []
    monkeypatch.setattr(loaded, "load", asked.append)
    folder = load_folder()
    loaded.open_onnx(folder / "head.onnx")
    settle(loaded, lambda: asked)
    assert Path(asked[0].model) == folder


def load_folder() -> Path:
    from runtime.system import paths

    return paths.models_dir() / "factored-s31"


def test_a_refusal_of_the_loader_before_any_model_is_no_end(workspace) -> None:
    def never(*_args: object, **_options: object) -> Engine:
        raise Refusal("model x", "it is broken", "Choose another")

    workspace._loader = never
    workspace.load(ModelChoice("x"))
    ended: list = []
    settle(workspace, lambda: ended.extend(workspace.test[1].collect()) or ended)
    assert workspace.engine is None
    assert ended[0].error == "model x: it is broken. Choose another"
