"""Engine: frame in, Parsing out. Frozen, so that swapping the X factor is one assignment."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.grid import Grid
from models.labels import PART_SETS, PartSet
from models.results import Parsing
from models.spec import ModelSpec
from runtime.engine.augmentation import ONE, View, Views, merged, mirrored, moved
from runtime.engine.guided_filter import LIVE, Detail, decide
from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.engine.providers import Provider, choose
from runtime.engine.sessions import NoResultError, Session
from runtime.engine.source import Factor, Held, Request, Silhouette, SilhouetteSource
from runtime.engine.stages import FactoredStages, NetworkStage, Stages, WholeNetwork, probabilities
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.library.models import find_factor, find_model, load_bundle, load_factor
from runtime.system.errors import Refusal

Map = NDArray[np.float32]

FROM_FEATURES: Final = (Factor, WholeNetwork)  # sources that know no more than what the network has seen
_ids = itertools.count(1)


@dataclass
class Tally:
    """What has gone wrong so far; the only thing about an engine that changes, shared by its variants."""

    no_results: int = 0
    notice: str = ""


@dataclass(frozen=True, eq=False)
class Engine:
    """A model on a provider, with what stands in its X factor's place.

    Attributes:
        id: unique per engine; a result carries it, so that a swap is seen as one change.
    """

    spec: ModelSpec
    stages: Stages
    source: SilhouetteSource
    size: NetworkSize
    detail: Detail = LIVE
    views: Views = ONE
    tally: Tally = field(default_factory=Tally)
    id: int = field(init=False, default_factory=lambda: next(_ids))

    @property
    def name(self) -> str:
        """The model's name."""
        return self.spec.name

    @property
    def factor_name(self) -> str:
        """What stands in the X factor's place."""
        return self.source.name

    @property
    def provider(self) -> str:
        """What really runs: CPU or CUDA, and both when a stage fell back."""
        labels = {s.provider.label for s in self.sessions}
        return " + ".join(sorted(labels, reverse=True))

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Every session in use."""
        return (*self.stages.sessions, *self.source.sessions)

    @property
    def part_set(self) -> PartSet:
        """The labels of its results."""
        return PART_SETS[self.spec.part_set or ""]

    @property
    def trunk_sha256(self) -> str:
        """What a personalised factor must have been made for."""
        return self.stages.sessions[0].sha256

    @property
    def notice(self) -> str:
        """Words for a banner about the last frame and the sessions, empty when all is well."""
        return "; ".join(
            dict.fromkeys(n for n in (self.tally.notice, *(s.notice for s in self.sessions)) if n)
        )

    def with_factor(self, source: SilhouetteSource | None) -> Engine:
        """The same model with another silhouette in the factor's place; None puts its own factor back."""
        return replace(self, source=self.stages.own_source() if source is None else _held(source))

    def load_factor(self, factor: str | Path) -> SilhouetteSource:
        """A factor of the user's library, or a factor file, ready for `with_factor`.

        Raises:
            Refusal: there is none, it is for another trunk, or it failed its trial.
        """
        file = find_factor(factor)
        trunk = self.stages.sessions[0]
        data = load_factor(file, trunk.data)
        provider = Provider.CUDA if trunk.provider is Provider.CUDA else Provider.CPU
        return Factor(file.name, Session("factor", data, provider, threads=trunk.threads))

    def with_size(self, size: NetworkSize) -> Engine:
        """The same model looking at larger or smaller pictures."""
        return replace(self, size=size)

    def with_detail(self, detail: Detail) -> Engine:
        """The same model with results at another resolution: `LIVE` or `FULL`."""
        return replace(self, detail=detail)

    def with_views(self, views: Views) -> Engine:
        """The same model looking at each picture in other ways.

        Raises:
            Refusal: it has no average over such views.
        """
        if views == self.views:
            return self
        if views.count > 1 and not self.averages:
            raise Refusal(
                f"{views.count} views with model {self.name}",
                "the cells of its grid lie on corners, where a mirror image has none",
                "use 1 view",
            )
        return replace(self, views=views)

    @property
    def averages(self) -> bool:
        """Whether the results of several views can be averaged cell by cell."""
        return self.spec.grid is Grid.CENTRE

    def parse(self, frame: Frame, smoothing: Smoother | None = None) -> Parsing:
        """Body parts and silhouette of one frame.

        Args:
            frame: the picture.
            smoothing: remembers the frames before; leave it out for single pictures.

        Raises:
            NoResultError: a stage failed or gave no probabilities; counted in `tally`.
        """
        return self._decide(self._look(frame), smoothing)

    def parse_both(
        self, other: Engine, frame: Frame, smoothing: Smoother | None, other_smoothing: Smoother | None
    ) -> tuple[Parsing, Parsing]:
        """What this engine and another one say of one frame; a trunk that both share runs once.

        Raises:
            NoResultError: one of them has no result.
        """
        here = self._look(frame)
        shared = (other.stages is self.stages) and (other.size, other.views) == (self.size, self.views)
        there = here if shared else other._look(frame)
        theirs = other._decide(there, other_smoothing)  # first: the notice that stays is of this engine
        return self._decide(here, smoothing), theirs

    def _look(self, frame: Frame) -> list[View]:
        """The frame as the network sees it in each view, and the trunk's features."""
        self.tally.notice = ""
        stride, multiple = self.spec.stride, self.spec.size_multiple
        views = []
        for zoom in self.views.sizes:
            letterbox = Letterbox.fit(frame.size, self.size, stride=stride, multiple=multiple, zoom=zoom)
            upright = letterbox.apply(frame.image)
            for flip in self.views.sides:
                canvas = mirrored(upright, letterbox) if flip else upright
                try:
                    features = self.stages.features(canvas)
                except NoResultError:
                    self.tally.no_results += 1
                    raise
                views.append(View(Request(frame, letterbox, canvas, features), flip))
        return views

    def _decide(self, views: Sequence[View], smoothing: Smoother | None) -> Parsing:
        """Silhouette, parts and labels from the features."""
        request = views[0].request
        try:
            silhouette, person, shown = self._silhouettes(views)
            if smoothing is not None:
                smoothing.look(request, self.id)
                calm = smoothing.person(person)
                shown = [calm] if len(views) == 1 else moved(views, shown, calm - person)
                person = calm
            said = [self._parts(v.request, p) for v, p in zip(views, shown, strict=True)]
        except NoResultError:
            self.tally.no_results += 1
            raise
        self.tally.notice = silhouette.notice
        parts = merged(views, said, self._mirrored_channels)
        across, down = request.letterbox.cells
        person, parts = person[:down, :across], parts[:, :down, :across]
        if smoothing is not None:
            parts = smoothing.parts(parts)
        decision = decide(person, parts, request, silhouette.fine, self.detail)
        return Parsing(
            self.part_set, request.frame.size, decision.labels, decision.person, decision.confidence
        )

    def _silhouettes(self, views: Sequence[View]) -> tuple[Silhouette, Map, list[Map]]:
        """The source's answer, P(person) on the first view's grid, and what the head sees in each view.

        What answers from the features is asked in every view. Anything else speaks of the displayed picture
        and may remember it: it is asked once, and every view sees what it said.
        """
        first = views[0].request.letterbox
        if isinstance(self.source, FROM_FEATURES):
            answers = [self.source.person(v.request) for v in views]
            shown = [self._person(a, v.request.letterbox) for a, v in zip(answers, views, strict=True)]
            return answers[0], merged(views, shown), shown
        answer = self.source.person(views[0].request)
        person = self._person(answer, first)
        return answer, person, [person, *(v.to_seen(answer, first) for v in views[1:])]

    @property
    def _mirrored_channels(self) -> NDArray[np.intp]:
        return self.part_set.mirror()[: self.part_set.classes].astype(np.intp)

    def _person(self, silhouette: Silhouette, letterbox: Letterbox) -> Map:
        if silhouette.grid is None:
            raise NoResultError(f"{self.factor_name}: {silhouette.notice}")
        person = probabilities(silhouette.grid)
        if person.shape != letterbox.grid[::-1]:
            raise NoResultError(
                f"{self.factor_name}: gave {person.shape}, the head needs {letterbox.grid[::-1]}"
            )
        return person

    def _parts(self, request: Request, person: Map) -> Map:
        parts = self.stages.parts(request.features, person)
        expected = (self.part_set.classes, *request.letterbox.grid[::-1])
        if parts.shape != expected:
            raise NoResultError(f"the model gave parts {parts.shape}, its description says {expected}")
        return parts


def load_engine(
    bundle: Path | str,
    *,
    device: str = "auto",
    factor: Path | None = None,
    threads: int = 1,
    size: NetworkSize | None = None,
) -> Engine:
    """Load a model and run it once, so that what it says about its provider is true.

    Args:
        bundle: a model's name, folder or .onnx file.
        device: `auto`, `cpu` or `cuda`; the last is strict.
        factor: a factor file to put in the X factor's place.
        threads: of each session.
        size: of the network's input; what the model was tuned for when left out.

    Raises:
        Refusal: the model, the factor or the device cannot be used.
    """
    model = find_model(bundle)
    data = load_bundle(model)
    provider = choose(device)
    engine = _build(model.spec, data, provider, threads, size)
    try:
        _warm_up(engine)
    except NoResultError as e:
        if provider is Provider.CPU:
            raise Refusal(f"model {model.name}", f"its first run failed ({e})", "export it again") from e
        if device != "auto":
            raise Refusal(
                f"device {device}", f"model {model.name} does not run on it ({e})", "use --device cpu"
            ) from e
        engine = _build(model.spec, data, Provider.CPU, threads, size)
        _warm_up(engine)
    return engine.with_factor(engine.load_factor(factor)) if factor is not None else engine


def _build(
    spec: ModelSpec, data: dict[str, bytes], provider: Provider, threads: int, size: NetworkSize | None
) -> Engine:
    if spec.part_set not in PART_SETS:
        raise Refusal(
            f"model {spec.name}",
            f"its part set {spec.part_set!r} is not known",
            "use it as a silhouette (X factor), or update xfactor",
        )
    sessions = {s: Session(s, d, provider, threads=threads) for s, d in data.items()}
    stages: Stages = FactoredStages(**sessions) if spec.factor_stage else NetworkStage(**sessions)
    return Engine(spec, stages, stages.own_source(), size or NetworkSize.of_model(spec.input_size))


def _warm_up(engine: Engine) -> None:
    """One frame through everything; a provider that only claims to run fails here."""
    height, width = engine.spec.input_size
    engine.parse(Frame(np.full((height, width, 3), 128, np.uint8), 0, 0.0, 0.0))


def _held(source: SilhouetteSource) -> SilhouetteSource:
    return source if isinstance(source, FROM_FEATURES) else Held(source)
