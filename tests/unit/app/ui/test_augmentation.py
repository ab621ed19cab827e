"""How often the window looks at a picture: as `xfactor parse` does, six times, and once at video."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace

import pytest
from PIL import Image

from app.commands.parse import parse_all
from app.live.model_choice import ModelChoice
from app.live.pipeline import Pipeline
from app.settings import Settings
from app.workspace import Workspace
from models.grid import Grid
from personalize.replay import read_regression
from runtime.engine.augmentation import BY_COUNT, MIRRORED, ONE, SIX
from runtime.engine.detail import FULL
from runtime.engine.engine import load_engine
from runtime.frames import FrameResult
from runtime.media.capture import Playback
from runtime.media.sources import Source
from runtime.output.label_png import read_labels
from runtime.system.jobs import BackgroundJobs
from runtime.system.paths import assets_dir
from tests.drawn_media import draw_clip
from tests.unit.runtime.model_files import crafted

SIZE = 192  # of the network
MAPS = ("labels", "person", "confidence")


@dataclass(frozen=True)
class Opened:
    """A workspace with the shipped model, its jobs, and what it would show."""

    workspace: Workspace
    pipeline: Pipeline
    jobs: BackgroundJobs

    def settle(self, condition: Callable[[], object]) -> None:
        end_s = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end_s, "it did not happen"
            self.jobs.collect()
            time.sleep(0.005)

    def open(self, address: str, playback: Playback | None = None) -> Source | None:
        """As the window does: swap once the source has a picture."""
        source = self.workspace.open(address, playback)
        self.settle(self.workspace.follow_source)
        return source

    def load(self, model: str) -> None:
        before = self.workspace.engine
        self.workspace.load(ModelChoice(model, "cpu", SIZE))
        self.settle(lambda: self.workspace.engine is not before)

    def results(self, count: int) -> list[FrameResult]:
        """The next ones."""
        found: list[FrameResult] = []
        end_s = time.monotonic() + 30
        while len(found) < count:
            assert time.monotonic() < end_s, f"{len(found)} results"
            parsed = self.pipeline.parsed.take(0.05)
            found += [parsed] if parsed is not None else []
        return found


@pytest.fixture
def opened() -> Iterator[Opened]:
    pipeline, jobs = Pipeline(lambda: None), BackgroundJobs(lambda: None)
    pipeline.start()
    made = Opened(Workspace(pipeline, jobs), pipeline, jobs)
    made.load("factored-s31")
    yield made
    jobs.stop().join(10)
    assert pipeline.stop() == []


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By kind; the picture is one of the bundled rendered people. No such camera exists."""
    folder = tmp_path_factory.mktemp("sources")
    people = read_regression(assets_dir() / "regression").pictures
    (folder / "album").mkdir()
    Image.fromarray(people[50]).save(folder / "person.png")
    for name, index in (("a", 3), ("b", 7)):
        Image.fromarray(people[index]).save(folder / "album" / f"{name}.png")
    clip = draw_clip(folder / "clip.mp4", 40, sound=False)
    return {
        "image": str(folder / "person.png"),
        "folder": str(folder / "album"),
        "clip": str(clip),
        "camera": "/dev/video987",
    }


def test_pictures_are_looked_at_six_times_and_video_once(opened, sources) -> None:
    """The camera does not exist: what was open before it goes on."""
    workspace = opened.workspace
    assert (workspace.looks, workspace.engine.views) == ("auto", ONE)
    for kind, views in (
        ("image", SIX),
        ("clip", ONE),
        ("folder", ONE),
        ("image", SIX),
        ("camera", SIX),
        ("clip", ONE),
    ):
        source = opened.open(sources[kind])
        assert source.kind == kind
        assert workspace.engine.views is views
        assert opened.pipeline.engine is workspace.engine


def test_a_folder_is_looked_at_once_while_it_plays_and_six_times_when_it_rests(opened, sources) -> None:
    workspace, pipeline = opened.workspace, opened.pipeline
    opened.open(sources["folder"])
    for playing, views in ((True, ONE), (False, SIX), (True, ONE)):
        pipeline.capture.play(replace(pipeline.capture.playback, playing=playing))
        workspace.watch()
        assert workspace.engine.views is views
        assert pipeline.engine is workspace.engine


@pytest.mark.parametrize(("looks", "views"), BY_COUNT.items())
def test_what_the_user_says_holds_for_every_source(opened, sources, looks: str, views) -> None:
    opened.workspace.set_views(looks)
    for kind in ("image", "clip", "folder"):
        opened.open(sources[kind])
        assert opened.workspace.engine.views is views
    opened.load("factored-s31")
    assert opened.workspace.engine.views is views


def test_a_model_loaded_beside_a_picture_looks_six_times(opened, sources) -> None:
    opened.open(sources["image"])
    opened.load("factored-s31")
    assert opened.workspace.engine.views is SIX


def test_the_first_result_of_a_picture_is_of_six_views(opened, sources) -> None:
    """It is not parsed twice: the engine is there before the picture."""
    workspace = opened.workspace
    opened.open(sources["image"])
    (first,) = opened.results(1)
    assert first.engine_id == workspace.engine.id
    assert first.parsing.labels.any()
    assert opened.pipeline.parsed.take(0.5) is None
    expected = workspace.engine.parsing(first.frame)
    for name in MAPS:
        assert (getattr(first.parsing, name) == getattr(expected, name)).all()
    workspace.set_views("1")
    (again,) = opened.results(1)  # nothing moves, so it is parsed again
    assert again.engine_id == workspace.engine.id
    assert again.frame.index == 0
    assert again.parsing.labels.shape < first.parsing.labels.shape  # the grid of six is that of the largest


def test_a_picture_is_parsed_as_by_the_command(opened, sources, tmp_path) -> None:
    """Same labels, at the detail in which the command writes them."""
    workspace, picture = opened.workspace, sources["image"]
    opened.open(picture)
    (shown,) = opened.results(1)
    here = {n: workspace.engine.with_views(v).with_detail(FULL) for n, v in BY_COUNT.items()}
    for views in ("6", "auto", "1"):
        out = tmp_path / views
        options = {"size": str(SIZE), "device": "cpu", "views": views, "save": ("labels",)}
        assert parse_all([picture], out, options, progress="none") == 0
        written = read_labels((out / "labels" / "person.png").read_bytes())
        engine = workspace.engine.with_detail(FULL) if views == "auto" else here[views]
        assert (engine.parsing(shown.frame).labels == written).all()
    assert (here["1"].parsing(shown.frame).labels != here["6"].parsing(shown.frame).labels).any()


def test_looks_change_while_video_runs(opened, sources) -> None:
    """One assignment: no frame is without a result, none comes twice, and each is of one engine."""
    workspace = opened.workspace
    opened.open(sources["clip"], Playback(loop=True))
    opened.results(3)
    stages, views_of = workspace.engine.stages, {workspace.engine.id: ONE}
    found: list[FrameResult] = []
    for looks, views in (("6", SIX), ("2", MIRRORED), ("auto", ONE)):
        workspace.set_views(looks)
        assert workspace.engine.views is views
        assert workspace.engine.stages is stages
        views_of[workspace.engine.id] = views
        found += opened.results(5)
    assert all(p.parsing is not None and p.notice == "" for p in found)
    ids = [p.engine_id for p in found]
    assert ids == sorted(ids)
    assert set(ids) >= set(views_of) - {min(views_of)}
    shapes = {
        views: {p.parsing.labels.shape for p in found if views_of[p.engine_id] is views}
        for views in (ONE, SIX)
    }
    assert [len(s) for s in shapes.values()] == [1, 1]
    assert shapes[SIX] != shapes[ONE]


def test_a_swap_of_the_x_factor_keeps_the_looks(opened, sources) -> None:
    workspace = opened.workspace
    opened.open(sources["image"])
    workspace.use_motion()
    assert workspace.engine.views is SIX
    opened.open(sources["clip"])
    workspace.swap_back()
    assert (workspace.xfactor.key, workspace.engine.views) == ("own", ONE)


def test_a_model_without_an_average_looks_once(opened, sources, tmp_path) -> None:
    """The wish is not forgotten: another model has what was chosen."""
    path = tmp_path / "corner.onnx"
    path.write_bytes(crafted.network("parts", grid=Grid.CORNER))
    workspace = opened.workspace
    workspace.set_views("6")
    opened.open(sources["image"])
    opened.load(str(path))
    assert not workspace.engine.averages
    assert workspace.engine.views is ONE
    workspace.set_views("2")
    assert (workspace.looks, workspace.engine.views) == ("2", ONE)
    opened.load("factored-s31")
    assert workspace.engine.views is MIRRORED


def test_looks_can_be_chosen_before_there_is_a_model() -> None:
    gate = threading.Event()

    def load(bundle: str, **_options: object):
        gate.wait(10)
        return load_engine(bundle, device="cpu", size=None)

    pipeline, jobs = Pipeline(lambda: None), BackgroundJobs(lambda: None)
    made = Opened(Workspace(pipeline, jobs, load), pipeline, jobs)
    made.workspace.load(ModelChoice("factored-s31"))
    made.workspace.set_views("2")
    gate.set()
    made.settle(lambda: made.workspace.engine is not None)
    assert made.workspace.engine.views is MIRRORED
    jobs.stop().join(10)


def test_the_settings_know_the_looks_there_are() -> None:
    (entry,) = (f for f in fields(Settings) if f.name == "looks")
    assert entry.metadata["allowed"] == ("auto", *BY_COUNT)
