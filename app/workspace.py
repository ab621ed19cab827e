"""Workspace: what is open, which model parses it, and what stands in its X factor's place. No Qt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from app.live.model_choice import EngineLoader, ModelChoice
from app.live.pipeline import Pipeline
from app.settings import network_threads
from app.xfactor import XFactor
from runtime.engine.augmentation import ONE, Views, chosen
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.source import SilhouetteSource
from runtime.frames import Frame
from runtime.library.factors import is_factor
from runtime.media.capture import Playback
from runtime.media.feeds import open_feed
from runtime.media.sources import Addresses, Source
from runtime.model_files.metadata import is_foreign
from runtime.silhouettes.background import BackgroundPlate, MovingBackground
from runtime.silhouettes.chroma_key import ChromaKey
from runtime.silhouettes.foreign_network import NetworkReading, load_foreign
from runtime.silhouettes.grabcut import Brush
from runtime.silhouettes.mask_files import MaskPicture, MaskSequence
from runtime.silhouettes.other_network import load_network
from runtime.silhouettes.people import PeopleSilhouette, finds_people
from runtime.system.errors import Refusal
from runtime.system.jobs import BackgroundJob, BackgroundJobs
from runtime.system.notices import Level, Notice

TOPIC, SWAP = "model", "swap"
OWN = "own"


class Workspace:
    """The use cases of the window, each in words of the user.

    Attributes:
        source: what is open, None on the welcome page.
        opening: what was opened last, and may still wait for its first picture.
        choice: the model that is in use or being loaded.
        looks: how often it looks at each picture: `1`, `2`, `6`, or `auto`, as the source allows.
        xfactor: what stands in the X factor's place.
        swap_ms: how long the last swap took.
        addresses: what is known of sources beside their addresses.
        on_changed: called in the thread of the window when a model or X factor has come into use.
        on_foreign: called with an ONNX file that needs a reading before `use_network` can take it.
        on_link: called with a link that is to be opened; it comes back as a clip once it is downloaded.
    """

    def __init__(self, pipeline: Pipeline, jobs: BackgroundJobs, loader: EngineLoader = load_engine) -> None:
        self.source: Source | None = None
        self.choice = ModelChoice("")
        self.looks = "auto"
        self.xfactor = XFactor(OWN, "own factor")
        self.swap_ms = 0.0
        self.addresses = Addresses()
        self.on_changed: Callable[[], None] = lambda: None
        self.on_link: Callable[[str], None] = lambda _: None
        self.on_foreign: Callable[[Path], None] = lambda _: None
        self._previous: XFactor | None = None
        self._pipeline = pipeline
        self._jobs = jobs
        self._loader = loader
        self.opening: Source | None = None
        self._engine: Engine | None = None
        self._loading: BackgroundJob | None = None

    # -- source

    def open(self, text: str, playback: Playback | None = None) -> Source | None:
        """Read what `classify` takes, or a link; the source before goes on until this one has a picture.

        A refusal is a notice. A camera that is on is switched off before another one is opened.
        """
        try:
            source = self.addresses.classify(text)
        except Refusal as e:
            self._pipeline.notices.refuse(e, "source")
            return None
        if source.kind == "link":
            self.on_link(source.link)
            return None
        self.opening = source
        beside = source.camera is None or not self._pipeline.reads_camera
        self._pipeline.open(lambda: open_feed(source), playback, beside=beside)
        if not beside:
            self.source = source
            self._forget_person()
        return source

    def follow_source(self) -> bool:
        """Swap to the source being opened once it has a picture, or forget it when it failed; True then."""
        opening = self._pipeline.opening
        if opening is None or not (opening.ready or opening.failed):
            return False
        if opening.failed:
            self._pipeline.opening = self.opening = None
            return True
        another = self.source is not None  # else the person asked for is of this one
        if self.opening is not None:
            self.source = self.opening
        if self._engine is not None:
            self._engine = self._engine.with_views(self.views_of(self._engine))
        self._pipeline.swap_source(self._engine)
        if another:
            self._forget_person()
        return True

    def close(self) -> None:
        """Stop reading; a camera goes off."""
        self.source = self.opening = None
        self._pipeline.close_source()
        self._forget_person()

    def _forget_person(self) -> None:
        """Everybody in the place of one person, whose number is somebody else's in another source."""
        before, self.xfactor = self.xfactor, self.xfactor.elsewhere()
        self._previous = self._previous and self._previous.elsewhere()
        if self.xfactor is not before and self._engine is not None:
            self._use(self._engine)
            self._say(f"X factor: everybody; {before.name} was of the source before.")

    # -- model

    @property
    def engine(self) -> Engine | None:
        """Engine that parses the next frame."""
        return self._engine

    def load(self, choice: ModelChoice, factor: str = "") -> None:
        """Load a model beside the running one, which works on until the new one has run once."""
        if self._loading is not None:
            self._loading.cancel()  # the newest choice wins
        before, self.choice = self.choice, choice
        threads, size = network_threads(), NetworkSize(choice.size) if choice.size else None

        def work(job: BackgroundJob) -> tuple[Engine, SilhouetteSource | None]:
            try:
                engine = self._loader(choice.model, device=choice.device, threads=threads, size=size)
            except Refusal as e:
                if not job.cancelled:
                    self.choice = before
                stays = "; the model in use stays" * (self._engine is not None)
                raise Refusal(e.what, e.reason, e.remedy + stays) from e
            job.progress()
            try:
                return engine, engine.load_factor(factor) if factor else None
            except Refusal as e:  # deleted, damaged or of another model: the model's own takes its place
                words = f"{e}. {engine.name} uses its own factor."
                self._pipeline.notices.say(Notice(words, Level.WARNING, topic="factor"))
                return engine, None

        def done(result: tuple[Engine, SilhouetteSource | None]) -> None:
            self._on_loaded(*result, factor)

        self._loading = self._jobs.start(f"Loading {choice.model}", work, done)

    def resize(self, size: int) -> None:
        """Show the network larger or smaller pictures; 0 is what it was tuned for."""
        self.choice = replace(self.choice, size=size)
        if self._engine is not None:
            own = NetworkSize.of_model(self._engine.spec.input_size)
            self._use(self._engine.with_size(NetworkSize(size) if size else own))

    def set_views(self, looks: str) -> None:
        """Choose the test-time augmentation; a model that cannot average parses each picture once."""
        self.looks = looks
        if self._engine is not None:
            self._use(self._engine)

    def views_of(self, engine: Engine) -> Views:
        """Views that `looks` means for a model and the source that is open; video when none is."""
        if not engine.averages:
            return ONE
        source = self.source
        moves = source is None or source.video or (source.kind == "folder" and self._pipeline.plays)
        return chosen(self.looks, video=moves)

    def _on_loaded(self, engine: Engine, source: SilhouetteSource | None, factor: str) -> None:
        self._loading = None
        if source is not None:
            self.xfactor = XFactor(factor, source.name, source, engine.trunk_sha256)
        elif self.xfactor.trunk and self.xfactor.trunk != engine.trunk_sha256:
            self._say(f"{self.xfactor.name} was made for another model; {engine.name} uses its own factor.")
            self.xfactor = XFactor(OWN, "own factor")
        if self._previous is not None and self._previous.trunk not in {"", engine.trunk_sha256}:
            self._previous = None
        self._use(engine)

    def watch(self) -> None:
        """Follow a folder that plays or rests, and drop what does not end its frame; called often."""
        engine = self._engine
        if engine is not None and engine.with_views(self.views_of(engine)) is not engine:
            self._use(engine)
        given_up = self._pipeline.give_up_stuck()
        if given_up is None:
            return
        own = self.xfactor.source is None
        name = given_up.name if own else self.xfactor.name
        self._engine = None if own else self._engine
        remedy = "Choose another model" if own else "The model's own factor takes its place"
        if self._pipeline.stuck > 1:
            remedy += "; restart xfactor to have back the cores that it keeps busy"
        self._say(f"{name}: no result for too long, it was given up. {remedy}.", Level.ERROR)
        self._previous = None
        self.use_own()

    # -- X factor

    def use(self, xfactor: XFactor, *, remember: bool = True) -> None:
        """Swap the X factor between two frames; `remember` the one before for `swap_back`."""
        if xfactor.key != self.xfactor.key:
            self._previous = self.xfactor if remember else None
        self.xfactor = xfactor
        if self._engine is not None:
            self._use(self._engine)

    def use_own(self) -> None:
        """Put the network's own factor back."""
        self.use(XFactor(OWN, "own factor"))

    def use_plate(self) -> None:
        """Learn the empty scene from the next frames; who comes in later is the person."""
        self.use(XFactor("plate", "background plate", BackgroundPlate()))

    def use_motion(self) -> None:
        """Whatever moves before a still camera is the person."""
        self.use(XFactor("motion", "motion (MOG2)", MovingBackground()))

    def use_chroma(self, frame: Frame, x: int, y: int) -> None:
        """Key out the colour at a pixel of a frame."""
        try:
            key = ChromaKey.picked(frame.image, x, y)
        except Refusal as e:
            self._pipeline.notices.refuse(e, TOPIC)
            self.on_changed()
            return
        self.use(XFactor("chroma", "chroma key", key))

    def use_brush(self) -> Brush | None:
        """Let the user paint; the factor in use says what is probable where nobody painted."""
        if self._engine is None:
            return None
        base = self.xfactor.source if self.xfactor.trunk else None
        brush = Brush(base or self._engine.stages.own_source())
        self.use(XFactor("brush", brush.name, brush))
        return brush if self.xfactor.source is brush else None

    def use_masks(self, path: Path) -> None:
        """Take the silhouettes from a folder with one mask per frame, or from one mask picture."""
        kind = MaskSequence if path.is_dir() else MaskPicture
        self._prepare(f"Reading masks of {path.name}", lambda _: kind(path), "masks")

    def use_people(self, at: tuple[float, float] | None = None) -> None:
        """Take the silhouettes of everybody, or of whoever is nearest to a pixel in the next frame."""
        if (engine := self._engine) is None:
            return
        trunk, threads = engine.trunk_sha256 if finds_people(engine) else "", network_threads()
        key, title = ("people", "Finding people") if at is None else ("person", "Finding a person")
        self._prepare(title, lambda _: PeopleSilhouette(engine, at=at, threads=threads), key, trunk)

    def use_network(self, path: Path, reading: NetworkReading | None = None) -> None:
        """Take the silhouette from another network; one without a description needs a reading."""
        load = partial(load_network, path) if reading is None else partial(load_foreign, path, reading)
        self._prepare(f"Loading {path.name}", lambda _: load(threads=network_threads()), "network")

    def use_factor(self, path: Path) -> None:
        """Take a personalised factor; it is tried in a child process first."""
        engine = self._engine
        if engine is None:
            self._say("The model is still loading; choose the factor again in a moment.", Level.WARNING)
            return
        trunk = engine.trunk_sha256
        self._prepare(f"Loading factor {path.name}", lambda _: engine.load_factor(path), str(path), trunk)

    def open_onnx(self, path: Path, *, silhouette: bool = False) -> None:
        """An .onnx file or a model's folder, as factor, as model, or for its `silhouette` alone."""

        def work(_: BackgroundJob) -> Callable[[], object]:
            if path.is_file() and is_foreign(path):
                return partial(self.on_foreign, path)
            if silhouette:
                return partial(self.use_network, path)
            if path.is_file() and is_factor(path):
                return partial(self.use_factor, path)
            whole = path.parent if path.stem in {"trunk", "head"} else path
            return lambda: self.load(replace(self.choice, model=str(whole)))

        self._jobs.start(f"Reading {path.name}", work, lambda use: use(), beside=True)

    def swap_back(self) -> None:
        """The X factor before this one; the same again brings this one back."""
        if self._previous is not None:
            self.use(self._previous)

    def rename_factor(self, key: str, new_key: str, name: str) -> None:
        """A factor lies elsewhere now, or is called otherwise; what runs is the same."""
        if self.xfactor.key == key:
            self.xfactor = replace(self.xfactor, key=new_key, name=name)
            self.on_changed()
        if self._previous is not None and self._previous.key == key:
            self._previous = replace(self._previous, key=new_key, name=name)

    def drop_factor(self, key: str) -> None:
        """A factor must not be used any more."""
        if self._previous is not None and self._previous.key == key:
            self._previous = None
        if self.xfactor.key == key:
            self.use(XFactor(OWN, "own factor"), remember=False)

    @property
    def previous(self) -> XFactor | None:
        """X factor that `swap_back` would use."""
        return self._previous

    def _prepare(
        self, title: str, work: Callable[[BackgroundJob], SilhouetteSource], key: str, trunk: str = ""
    ) -> None:
        def done(source: SilhouetteSource) -> None:
            if trunk and self._engine is not None and trunk != self._engine.trunk_sha256:
                self._say(f"{source.name} was made for another model; it is not used.", Level.WARNING)
                return
            self.use(XFactor(key, source.name, source, trunk))

        self._jobs.start(title, work, done)

    def _use(self, engine: Engine) -> None:
        """The one assignment: the next frame is parsed with this model and this X factor."""
        started_s = time.perf_counter()
        try:
            swapped = engine.with_factor(self.xfactor.source)
        except Refusal as e:  # a network of joints alone: no silhouette changes its results
            self._pipeline.notices.refuse(e, SWAP)
            self._previous, self.xfactor = None, XFactor(OWN, "own factor")
            swapped = engine.with_factor(None)
        else:
            self._pipeline.notices.say(Notice("", topic=SWAP))
        self._engine = swapped.with_views(self.views_of(engine))
        self._pipeline.use(self._engine)
        self.swap_ms = (time.perf_counter() - started_s) * 1e3
        self.on_changed()

    def _say(self, words: str, level: Level = Level.INFO) -> None:
        self._pipeline.notices.say(Notice(words, level, topic=TOPIC))
