"""The forward pass: frames in batches through the stages and the X factor, up to maps on cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.codecs.codec import FloatMap
from models.codecs.registry import CODECS, decoded
from models.grid import Grid
from models.outputs import Output, PartProbabilities, PersonProbability
from models.results import PersonResult
from models.spec import PERSON, ModelSpec
from runtime.engine.augmentation import View, Views, merged, mirrored, moved, weights
from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.engine.region import COARSE_PX, Rectangle, agree
from runtime.engine.sessions import NoResultError
from runtime.engine.source import FactorSource, Request, Silhouette, SilhouetteSource
from runtime.engine.stages import Features, Maps, NoSilhouette, Stages, WholeNetwork, probabilities
from runtime.engine.temporal import Smoother, Step
from runtime.frames import Frame

FROM_FEATURES: Final = (
    FactorSource,
    WholeNetwork,
)  # sources that know no more than what the network has seen
NO_ANSWER: Final = Silhouette(None)


@dataclass(frozen=True)
class Seen:
    """Some frames of one size in one view, and what the stages before the X factor give of them.

    Attributes:
        features: of the whole canvas; empty where nobody looked at it.
        region: that was looked at by itself, None when none was.
        inside: features of it.
    """

    view: View
    canvas: NDArray[np.uint8]  #: (b, h, w, 3) RGB
    features: Features
    region: Rectangle | None = None
    inside: Features = field(default_factory=dict)

    def request(self, frame: Frame, index: int) -> Request:
        """The frame of this index alone."""
        one = slice(index, index + 1)
        features = {name: values[one] for name, values in self.features.items()}
        return Request(frame, self.view.letterbox, self.canvas[one], features)

    def person(self, source: FactorSource | WholeNetwork) -> tuple[FloatMap, Seen]:
        """P(person) (b, gh, gw) by a source that answers from the features, and the looks that count for it.

        It is 0 where nobody looked. A region that contradicts the whole picture does not count.
        """
        if self.region is None:
            return source.probability(self.features), self
        inside = source.probability(self.inside)
        if not self.features:
            return self.region.pasted(inside, self.view.letterbox.grid), self
        whole = source.probability(self.features)
        if not agree(self.region.crop(whole), inside):
            return whole, replace(self, region=None, inside={})
        return self.region.pasted(inside, whole), self

    def maps(self, stages: Stages, person: FloatMap) -> Maps:
        """Outputs of the stages that P(person) (b, gh, gw) is shown to; background where nobody looked."""
        whole = stages.maps(self.features, person) if self.features else {}
        if self.region is None:
            return whole
        inside = stages.maps(self.inside, self.region.crop(person))
        grid = self.view.letterbox.grid
        return {name: self.region.pasted(m, whole.get(name, grid)) for name, m in inside.items()}

    def misses(self, person: FloatMap) -> bool:
        """True when somebody (≥ ½) of P(person) (b, gh, gw) is where nobody looked."""
        if self.region is None or self.features:
            return False
        return bool((person >= 0.5).sum() > (self.region.crop(person) >= 0.5).sum())


@dataclass(frozen=True)
class GridMaps:
    """Outputs of a frame on the cells that the picture covers, averaged over views and time."""

    request: Request  #: of the first view
    maps: Maps  #: by name, (channels, rows, columns); `person` is P(person) as the head was given it
    mask: NDArray[np.uint8] | None = None  #: the source's own, where it is finer than the grid
    notice: str = ""  #: words of the source
    people: tuple[PersonResult, ...] | None = None  #: found by the source; their maps are then left out


@dataclass(frozen=True)
class ForwardPass:
    """A model with what stands in its X factor's place, and how pictures are shown to it."""

    spec: ModelSpec
    stages: Stages
    source: SilhouetteSource
    size: NetworkSize
    views: Views
    id: int  #: of the engine, for the smoother
    batch: int = 1  #: frames that run together

    def grid_maps(
        self, frames: Sequence[Frame], smoothing: Smoother | None = None
    ) -> list[GridMaps | NoResultError]:
        """Maps of frames of one size, not yet decoded, at most `batch` at a time; or why there are none."""
        if len(frames) > self.batch:
            pieces = (frames[i : i + self.batch] for i in range(0, len(frames), self.batch))
            return [m for piece in pieces for m in self.grid_maps(piece, smoothing)]
        try:
            seen = self.seen(frames, smoothing)
        except NoResultError as e:
            if len(frames) > 1:  # one picture at a time may still fit into memory
                return [m for f in frames for m in self.grid_maps((f,), smoothing)]
            return [e]
        return self.maps(frames, seen, smoothing)

    def seen(self, frames: Sequence[Frame], smoothing: Smoother | None = None) -> list[Seen]:
        """The frames as the network sees them in each view, and the trunk's features.

        With `smoothing`, one frame of a video at a time on a CPU, only of the region where people are.
        """
        roi = smoothing.region if smoothing is not None and self.regional else None
        seen = []
        for zoom in self.views.sizes:
            letterbox = self.letterbox(frames[0].size, zoom)
            canvases = [letterbox.apply(f.image) for f in frames]
            upright = canvases[0] if len(canvases) == 1 else np.concatenate(canvases)
            for flip in self.views.sides:
                canvas = mirrored(upright, letterbox) if flip else upright
                region, whole = None, True
                if roi is not None:
                    region, whole = roi.next(self.id, letterbox, canvas[0], frames[0].pts_s)
                pixels = None if region is None else region.pixels(canvas, letterbox.stride)
                inside = {} if pixels is None else self.stages.features(pixels)
                features = self.stages.features(canvas) if whole else {}
                seen.append(Seen(View(letterbox, flip), canvas, features, region, inside))
        return seen

    def letterbox(self, picture: tuple[int, int], zoom: float = 1.0) -> Letterbox:
        """Place of a picture of (width, height) px in the network's input."""
        return Letterbox.of_model(picture, self.size, self.spec, zoom)

    def maps(
        self, frames: Sequence[Frame], seen: Sequence[Seen], smoothing: Smoother | None
    ) -> list[GridMaps | NoResultError]:
        """P(person), then the other outputs: each frame's own, in batches only where sessions run."""
        requests = [seen[0].request(frame, i) for i, frame in enumerate(frames)]
        region = seen[0].region
        try:
            own: list[FloatMap] | None = None
            if isinstance(self.source, FROM_FEATURES):
                told = [s.person(self.source) for s in seen]
                own, seen = [person for person, _ in told], [counts for _, counts in told]
            silhouettes = self._silhouettes(requests, seen, own, smoothing)
            shown = [np.stack([s.shown[v] for s in silhouettes]) for v in range(len(seen))]
            found_before = all(s.answer.people is not None for s in silhouettes)
            stages = self.stages.without_people() if found_before else self.stages
            if seen[0].misses(shown[0]):  # a source that is no factor knows better
                seen = self.seen(frames)
            said = [s.maps(stages, p) for s, p in zip(seen, shown, strict=True)]
        except NoResultError as e:
            return [e] * len(frames)
        found: list[GridMaps | NoResultError] = []
        for i, (request, silhouette) in enumerate(zip(requests, silhouettes, strict=True)):
            try:
                if silhouette.error is not None:
                    raise silhouette.error
                of_frame = [{name: m[i] for name, m in maps.items()} for maps in said]
                maps = self._averaged(of_frame, seen, silhouette)
                answer = silhouette.answer
                found.append(GridMaps(request, maps, answer.fine, answer.notice, answer.people))
            except NoResultError as e:
                found.append(e)
                continue
            roi = smoothing.region if smoothing is not None and self.regional else None
            if roi is not None and silhouette.person is not None:
                roi.found(silhouette.person, agreed=region is None or seen[0].region is not None)
        return found

    def _averaged(self, said: Sequence[Maps], seen: Sequence[Seen], silhouette: _Shown) -> Maps:
        """The maps of one frame: checked, averaged over views and time, without the padding."""
        views = [s.view for s in seen]
        maps: Maps = {}
        for output in self.read:
            if output.name not in said[0]:  # the silhouette that the source gives
                continue
            for one, view in zip(said, views, strict=True):
                _check(output, one[output.name], view)
            mirror = output.mirror if len(views) > 1 else None
            sized = [
                output.rescaled(m[output.name], v.letterbox.enlarged(views[0].letterbox))
                for m, v in zip(said, views, strict=True)
            ]
            whole = merged(views, sized, mirror, [weights(output, m) for m in said] if mirror else ())
            across, down = views[0].letterbox.placement(output).cells
            maps[output.name] = whole[:, :down, :across]
            if silhouette.step is not None and output.smoothed:
                settle = isinstance(output, PartProbabilities)
                average = silhouette.step.decide if settle else silhouette.step.average
                maps[output.name] = average(output.name, maps[output.name])
        across, down = views[0].letterbox.cells
        if silhouette.person is not None:
            maps[PERSON] = silhouette.person[None, :down, :across]
        return maps

    def _silhouettes(
        self,
        requests: Sequence[Request],
        seen: Sequence[Seen],
        own: Sequence[FloatMap] | None,
        smoothing: Smoother | None,
    ) -> list[_Shown]:
        """P(person) of each frame on the first view's grid, and what the head is shown of it in each view.

        What answers from the features is asked in every view. Anything else speaks of the displayed picture
        and may remember it: it is asked once, and every view is shown what it said.
        """
        found = []
        for i, request in enumerate(requests):
            step = None if smoothing is None else smoothing.step(request, self.id, follows=own is not None)
            answers = None if own is None else [o[i] for o in own]
            try:
                found.append(self._shown(request, [s.view for s in seen], answers, step))
            except NoResultError as e:
                blank = [np.zeros(s.view.letterbox.grid[::-1], np.float32) for s in seen]
                found.append(_Shown(None, blank, step, error=e))
        return found

    def _shown(
        self, request: Request, views: Sequence[View], own: list[FloatMap] | None, step: Step | None
    ) -> _Shown:
        first = views[0].letterbox
        if isinstance(self.source, NoSilhouette):
            return _Shown(None, [np.zeros(v.letterbox.grid[::-1], np.float32) for v in views], step)
        if own is not None:
            answer = Silhouette(own[0])
            shown = [self._person(o, v.letterbox) for o, v in zip(own, views, strict=True)]
            person = merged(views, shown)
        else:
            answer = self.source.person(request)
            if answer.grid is None:
                raise NoResultError(f"{self.source.name}: {answer.notice}")
            person = self._person(answer.grid, first)
            shown = [person, *(v.to_seen(answer, first) for v in views[1:])]
        if step is not None:
            calm = step.follow(PERSON, person, np.square(2 * person - 1))
            shown = [calm] if len(views) == 1 else moved(views, shown, calm - person)
            person = calm
        return _Shown(person, shown, step, answer)

    def _person(self, grid: FloatMap, letterbox: Letterbox) -> FloatMap:
        person = probabilities(grid)
        if person.shape != letterbox.grid[::-1]:
            raise NoResultError(
                f"{self.source.name}: gave {person.shape}, the head needs {letterbox.grid[::-1]}"
            )
        return person

    @property
    def decodable(self) -> tuple[Output, ...]:
        """The outputs that a codec decodes."""
        return decoded(self.spec.outputs)

    @property
    def regional(self) -> bool:
        """True when part of a frame can be looked at alone: body parts, nothing else, one view, on a CPU.

        Elsewhere, on a grid of corners and for joints, every look is whole.
        """
        return (
            self.views.regions
            and self.batch == 1
            and self.views.count == 1
            and self.spec.grid is Grid.CENTRE
            and COARSE_PX % self.spec.sides.multiple == 0
            and all(
                isinstance(o, PartProbabilities | PersonProbability) and o.stride == self.spec.stride
                for o in self.read
            )
        )

    @property
    def read(self) -> tuple[Output, ...]:
        """The outputs that a codec decodes or needs beside."""
        needed = {name for o in self.decodable for name in CODECS[type(o)].needs}
        return tuple(o for o in self.spec.outputs if type(o) in CODECS or o.name in needed)


@dataclass(frozen=True)
class _Shown:
    """The silhouette of one frame."""

    person: FloatMap | None  #: (gh, gw) of the first view, with padding; None for a network without one
    shown: list[FloatMap]  #: to the head, for each view
    step: Step | None
    answer: Silhouette = NO_ANSWER
    error: NoResultError | None = None


def _check(output: Output, maps: FloatMap, view: View) -> None:
    """Raise when the model does not give what its description says."""
    across, down = (output.grid.cells(side, output.stride) for side in view.letterbox.network)
    if maps.shape != (output.channels, down, across):
        raise NoResultError(
            f"the model gave {output.name} {maps.shape}, its description says"
            f" {(output.channels, down, across)}"
        )
    if output.probability:
        probabilities(maps)
    elif not np.isfinite(maps).all():
        raise NoResultError(f"the model's output {output.name} is not finite")
