"""Engine: letterbox → stages → codecs. Frozen, so that swapping the X factor is one assignment."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from models.codecs.pose_masks import with_own_masks
from models.codecs.registry import CODECS, Codecs, decoded
from models.grid import Grid
from models.labels import PART_SETS, PartSet
from models.outputs import OutputError
from models.results import Parsing, Result
from models.spec import ModelSpec
from runtime.engine.augmentation import ONE, Views
from runtime.engine.detail import LIVE, Detail
from runtime.engine.forward import FROM_FEATURES, ForwardPass, GridMaps
from runtime.engine.letterbox import NetworkSize
from runtime.engine.providers import Provider, choose
from runtime.engine.sessions import NoResultError, Session
from runtime.engine.source import FactorSource, Held, SilhouetteSource
from runtime.engine.stages import ChainedStages, FactoredStages, NoSilhouette, Stages
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.library.factors import user_factors
from runtime.library.models import Bundle, find_model, load_bundle
from runtime.system.errors import Refusal

CUDA_BATCH = 8  # on a CPU a batch gains nothing and costs memory
PREPARING_S = 3.0
_ids = itertools.count(1)


@dataclass
class Tally:
    """Words about the last frame; the only thing about an engine that changes, shared by its variants."""

    notice: str = ""


@dataclass(frozen=True)
class FrameOutcome:
    """Result of one frame of a batch, or the reason why there is none."""

    result: Result | None  #: None when there is none; then `error` says why
    notice: str = ""  #: words of the silhouette's source for a banner
    error: NoResultError | None = None

    def given(self) -> Result:
        """The result.

        Raises:
            NoResultError: there is none.
        """
        if self.result is None:
            raise self.error or NoResultError("there is no result")
        return self.result


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
    codecs: Codecs = field(default_factory=lambda: CODECS)  #: of each type of output that is decoded
    batch: int = 1  #: frames that run together in `parse_many`
    pace_s: float = 0.0  #: of one view at a picture, per pixel of the network's input; 0: not measured
    tally: Tally = field(default_factory=Tally)
    id: int = field(init=False, default_factory=lambda: next(_ids))

    @property
    def name(self) -> str:
        """The model's name."""
        return self.spec.name

    @property
    def factor_name(self) -> str:
        """Name of the source in the X factor's place."""
        return self.source.name

    @property
    def provider(self) -> str:
        """Providers in use: CPU or CUDA, and both when a stage fell back."""
        labels = {s.provider.label for s in self.sessions}
        return " + ".join(sorted(labels, reverse=True))

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Every session in use."""
        return (*self.stages.sessions, *self.source.sessions)

    @property
    def part_set(self) -> PartSet | None:
        """The labels of its results, if it gives body parts."""
        return PART_SETS.get(self.spec.part_set or "")

    @property
    def trunk_sha256(self) -> str:
        """Hash of the trunk; a personalised factor must have been made for the same."""
        return self.stages.sessions[0].sha256

    @property
    def notice(self) -> str:
        """Words for a banner about the last frame and the sessions, empty when all is well."""
        return "; ".join(
            dict.fromkeys(n for n in (self.tally.notice, *(s.notice for s in self.sessions)) if n)
        )

    def with_factor(self, source: SilhouetteSource | None) -> Engine:
        """The same model with another silhouette in the factor's place; None puts its own factor back.

        Raises:
            Refusal: a silhouette changes nothing about this model.
        """
        if source is not None and isinstance(self.stages.own_source(), NoSilhouette):
            raise Refusal(
                f"{source.name} with model {self.name}",
                "it gives no body parts that a silhouette could change",
                "choose a model with body parts",
            )
        return replace(self, source=self.stages.own_source() if source is None else _held(source))

    def load_factor(self, factor: str | Path) -> SilhouetteSource:
        """A factor of the user's library, or a factor file, ready for `with_factor`.

        Raises:
            Refusal: there is none, it is for another trunk, or it failed its trial.
        """
        file = user_factors().find(factor)
        trunk = self.stages.sessions[0]
        data = file.load(trunk.data)
        provider = Provider.CUDA if trunk.provider is Provider.CUDA else Provider.CPU
        return FactorSource(file.name, Session("factor", data, provider, threads=trunk.threads, bounded=True))

    def with_size(self, size: NetworkSize) -> Engine:
        """The same model looking at larger or smaller pictures."""
        return replace(self, size=size)

    def with_detail(self, detail: Detail) -> Engine:
        """The same model with results at another resolution: `LIVE` or `FULL`."""
        return replace(self, detail=detail)

    def with_views(self, views: Views) -> Engine:
        """The same model with other test-time augmentation.

        Raises:
            Refusal: it has no average over such views.
        """
        if views == self.views:
            return self
        if views.mirrored and not self.averages:
            raise Refusal(
                f"{views.count} views with model {self.name}",
                "the cells of its grid lie on corners, where a mirror image has none",
                "use 1 view",
            )
        return replace(self, views=views)

    @property
    def averages(self) -> bool:
        """True when mirrored views can be averaged cell by cell."""
        return self.spec.grid is Grid.CENTRE

    def expected_s(self, frame: Frame, *, first: bool = False) -> float:
        """Seconds for a frame, by the pace of the model's own run when it was loaded.

        Args:
            frame: one that is to be parsed.
            first: of its size, when a GPU's provider searches and compiles.
        """
        forward, looks = self.forward, len(self.views.sides)
        boxes = [forward.letterbox(frame.size, zoom).network for zoom in self.views.sizes]
        prepares = first and any(s.provider is not Provider.CPU for s in self.sessions)
        return self.pace_s * looks * sum(w * h for w, h in boxes) + (PREPARING_S if prepares else 0.0)

    def parse(self, frame: Frame, smoothing: Smoother | None = None) -> Result:
        """Body parts, silhouette and people of one frame.

        Args:
            frame: the picture.
            smoothing: remembers the frames before; leave it out for single pictures.

        Raises:
            NoResultError: a stage failed or gave no probabilities.
        """
        (outcome,) = self.parse_many((frame,), smoothing)
        return outcome.given()

    def parsing(self, frame: Frame, smoothing: Smoother | None = None) -> Parsing:
        """As `parse`, the body parts alone.

        Raises:
            NoResultError: there is no result, or the model gives no body parts.
        """
        parsing = self.parse(frame, smoothing).parsing
        if parsing is None:
            raise NoResultError(f"{self.name} gives no body parts")
        return parsing

    def parse_many(self, frames: Sequence[Frame], smoothing: Smoother | None = None) -> list[FrameOutcome]:
        """Results of several frames; those of one size that follow each other run in batches.

        Args:
            frames: in the order of the clip.
            smoothing: as for `parse`.

        Returns:
            For each frame its result, or why there is none: the same as of one frame at a time, on a CPU to
            the bit, on a GPU up to rounding.
        """
        outcomes: list[FrameOutcome] = []
        for _, run in itertools.groupby(frames, key=lambda f: f.size):
            outcomes += [self._decoded(m) for m in self.forward.grid_maps(tuple(run), smoothing)]
        self.tally.notice = outcomes[-1].notice if outcomes else ""
        return outcomes

    def parse_both(
        self, other: Engine, frame: Frame, smoothing: Smoother | None, other_smoothing: Smoother | None
    ) -> tuple[Result, Result]:
        """Results of this engine and another one for one frame; a trunk that both share runs once.

        Raises:
            NoResultError: one of them has no result.
        """
        own, others = self.forward, other.forward
        here = own.seen((frame,))
        shared = (other.stages is self.stages) and (other.size, other.views) == (self.size, self.views)
        there = here if shared else others.seen((frame,))
        (second,) = others.maps((frame,), there, other_smoothing)
        (first,) = own.maps((frame,), here, smoothing)
        outcomes = self._decoded(first), other._decoded(second)
        self.tally.notice = outcomes[0].notice
        return outcomes[0].given(), outcomes[1].given()

    @property
    def forward(self) -> ForwardPass:
        """The model up to its maps, for measurements of what comes before decoding."""
        return ForwardPass(self.spec, self.stages, self.source, self.size, self.views, self.id, self.batch)

    def _decoded(self, maps: GridMaps | NoResultError) -> FrameOutcome:
        """The result of the codecs of all outputs."""
        if isinstance(maps, NoResultError):
            return FrameOutcome(None, "", maps)
        letterbox, decodable = maps.request.letterbox, self.forward.decodable
        context = maps.request.context(self.detail.size(letterbox), maps.mask)
        said = [
            self.codecs[type(o)].decode(o, maps.maps, replace(context, placement=letterbox.placement(o)))
            for o in decodable
            if o.name in maps.maps
        ]
        parsing = next((r.parsing for r in said if r.parsing is not None), None)
        people = tuple(p for r in said for p in r.people) if maps.people is None else maps.people
        return FrameOutcome(Result(parsing, with_own_masks(decodable, parsing, people)), maps.notice)


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
    engine = _build(model, data, provider, threads, size)
    try:
        engine = _warm_up(engine)
    except NoResultError as e:
        if provider is Provider.CPU:
            raise Refusal(f"model {model.name}", f"its first run failed ({e})", "export it again") from e
        if device != "auto":
            raise Refusal(
                f"device {device}", f"model {model.name} does not run on it ({e})", "choose the CPU"
            ) from e
        engine = _build(model, data, Provider.CPU, threads, size)
        engine = _warm_up(engine)
    return engine.with_factor(engine.load_factor(factor)) if factor is not None else engine


def _build(
    model: Bundle, data: dict[str, bytes], provider: Provider, threads: int, size: NetworkSize | None
) -> Engine:
    spec = model.spec
    decodable = decoded(spec.outputs)
    if not decodable:
        given = ", ".join(o.name for o in spec.outputs)
        raise Refusal(
            f"model {spec.name}",
            f"it gives {given} and no result of its own",
            "use it as a silhouette (X factor)",
        )
    try:
        _ = [o.channels for o in decodable]
    except OutputError as e:
        raise Refusal(
            f"model {spec.name}", str(e), "use it as a silhouette (X factor), or update xfactor"
        ) from e
    bounded = not model.shipped
    sessions = {s: Session(s, d, provider, threads=threads, bounded=bounded) for s, d in data.items()}
    stages: Stages = (
        FactoredStages.of(spec.stages, sessions)
        if spec.factor_stage
        else ChainedStages(spec.stages, tuple(sessions[name] for name in spec.stage_names))
    )
    batch = CUDA_BATCH if provider is Provider.CUDA else 1
    fitted = size or NetworkSize.of_model(spec.input_size)
    return Engine(spec, stages, stages.own_source(), fitted, batch=batch)


def _warm_up(engine: Engine) -> Engine:
    """The engine with its pace, after two frames; a provider that only claims to run fails at the first."""
    height, width = engine.spec.input_size
    frame = Frame(np.full((height, width, 3), 128, np.uint8), 0, 0.0, 0.0)
    engine.parse(frame)
    started_s = time.perf_counter()
    engine.parse(frame)
    took_s = time.perf_counter() - started_s
    return replace(engine, pace_s=took_s / replace(engine, pace_s=1.0).expected_s(frame))


def _held(source: SilhouetteSource) -> SilhouetteSource:
    return source if isinstance(source, FROM_FEATURES) else Held(source)
