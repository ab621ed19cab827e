"""The options of one call of `xfactor parse`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from runtime.engine.augmentation import ONE, Views, chosen
from runtime.engine.detail import FULL
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.temporal import Smoother
from runtime.frames import Frame
from runtime.movement.sides import SideSwap
from runtime.output.products import PRODUCTS
from runtime.output.style import DisplayStyle
from runtime.silhouettes.mask_files import MaskPicture, MaskSequence, folder_reader
from runtime.silhouettes.people import PeopleSilhouette, people_number, separates_people
from runtime.system.errors import Refusal

_SPAN: Final = re.compile(r"\s*(\d{1,9})\s*:\s*(\d{1,9})\s*")


@dataclass(frozen=True)
class FrameSpan:
    """The frames of a clip that are parsed: from `first` to `last`, both included, every `every`-th.

    Raises:
        ValueError: when there can be none.
    """

    first: int = 0
    last: int | None = None  #: the clip's last when left out
    every: int = 1

    def __post_init__(self) -> None:
        if self.every < 1 or self.first < 0 or (self.last is not None and self.last < self.first):
            raise ValueError(f"no frames in {self}")

    @classmethod
    def parse(cls, text: str, every: int = 1) -> FrameSpan:
        """Read `A:B`, or nothing for all frames.

        Raises:
            ValueError: in words for the command line.
        """
        if every < 1:
            raise ValueError(f"--every takes a number from 1 on, not {every}")
        match = _SPAN.fullmatch(text)
        if text and match is None:
            example = "as A:B, counted from 0 and both included (5:5 is one frame)"
            raise ValueError(f"--frames takes two frame numbers {example}, not {text[:40]!r}")
        if match and int(match[1]) > int(match[2]):
            raise ValueError(f"--frames {text.strip()} ends before it begins. Give the smaller number first")
        return cls(int(match[1]), int(match[2]), every) if match else cls(every=every)

    def __str__(self) -> str:
        frames = f"{self.first}:{'' if self.last is None else self.last}"
        return "all" if self == FrameSpan() else f"{frames} every {self.every}"

    def of(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Those of a clip's frames that belong to the span."""
        for frame in frames:
            if self.last is not None and frame.index > self.last:
                return
            if frame.index >= self.first and (frame.index - self.first) % self.every == 0:
                yield frame
            if frame.index == self.last:
                return

    def indices(self, count: int) -> range:
        """The indices of the first `count` frames of the span."""
        return range(self.first, self.end(count), self.every)

    def end(self, count: int) -> int:
        """The index from which on nothing belongs to the first `count` frames of the span."""
        return self.first + count * self.every

    def count(self, clip_frames: int) -> int:
        """The number of frames of the span among the clip's first `clip_frames`."""
        stop = clip_frames if self.last is None else min(clip_frames, self.last + 1)
        return len(range(self.first, stop, self.every))


@dataclass(frozen=True)
class ParseJob:
    """One call of `xfactor parse`."""

    sources: tuple[str, ...]
    out: Path
    save: tuple[str, ...] = ()  #: of the products; empty: those that are made by default
    model: str = "factored-s31"
    factor: str = ""  #: name or file, `people` or `people:3`; empty is the model's own
    silhouettes: Path | None = None  #: imported masks in the factor's place
    size: str = ""  #: of the network's input; empty is the model's own
    views: Literal["auto", "1", "2", "6", "regions"] = "auto"  #: passes over a picture; auto: 6, clips 1
    device: str = "auto"
    resume: bool = False
    smooth: bool = True  #: temporal smoothing of clips, as in the window
    span: FrameSpan = FrameSpan()  #: of each clip
    recursive: bool = False  #: folders with their sub-folders
    alpha: Literal["mov", "webm"] = "mov"
    style: DisplayStyle | None = None  #: of overlays; None: every part in the usual way
    sides: tuple[SideSwap, ...] = ()  #: frames from which left and right are exchanged in a clip
    refused: tuple[tuple[str, str], ...] = ()  #: links that are not there as files, and why

    def to_json(self) -> dict[str, Any]:
        """Plain values, for another process."""
        raw = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(replace(self, style=None)).items()}
        return raw | {"style": self.style.to_json() if self.style is not None else None}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> ParseJob:
        """The inverse of `to_json`."""
        masks = Path(raw["silhouettes"]) if raw["silhouettes"] else None
        refused = tuple((link, reason) for link, reason in raw["refused"])
        span = FrameSpan(**raw["span"])
        lists = {"sources": tuple(raw["sources"]), "save": tuple(raw["save"]), "refused": refused}
        style = DisplayStyle.from_json(raw["style"]) if raw.get("style") else None
        lists["sides"] = tuple(SideSwap(**s) for s in raw.get("sides", ()))
        return cls(
            **{**raw, **lists, "out": Path(raw["out"]), "silhouettes": masks, "span": span, "style": style}
        )

    def load(self, threads: int = 1) -> Engine:
        """The engine, deciding at the displayed size.

        Raises:
            Refusal: model, factor, size, views or device cannot be used.
        """
        if self.silhouettes is not None and not self.silhouettes.is_dir():
            raise Refusal(
                f"silhouettes {self.silhouettes}", "there is no such folder", "Give a folder of PNG masks"
            )
        if self.views == "regions" and not self.smooth:
            reason = "a region follows from the frames before, which --no-smooth leaves out"
            raise Refusal("--views regions", reason, "Leave out --no-smooth, or use --views 1")
        number = people_number(self.factor)
        engine = load_engine(
            self.model,
            device=self.device,
            factor=Path(self.factor) if self.factor and number is None else None,
            threads=threads,
            size=NetworkSize.parse(self.size) if self.size else None,
        )
        if number is not None:
            engine = engine.with_factor(PeopleSilhouette(engine, number, threads=threads))
        for clip in (False, True):
            engine.with_views(self.views_of(engine, clip=clip))
        return engine.with_detail(FULL)

    def of_model(self, engine: Engine) -> ParseJob:
        """This job with products that its model can give; without a choice, those that are made by default.

        Raises:
            Refusal: what was asked for is not among them.
        """
        contents, able = _contents(engine), products_of(engine)
        if unable := [name for name in self.save if name not in able]:
            reason = f"model {engine.name} gives {' and '.join(sorted(contents)) or 'nothing'} only"
            raise Refusal(f"--save {','.join(unable)}", reason, f"Choose of {','.join(able)}")
        usual = [name for name in able if PRODUCTS[name].default or not engine.part_set]
        return replace(self, save=self.save or tuple(usual))

    def views_of(self, engine: Engine, *, clip: bool) -> Views:
        """The augmented passes over an input; auto is one for a model that cannot average them."""
        views = chosen(self.views, video=clip)
        return ONE if self.views == "auto" and not engine.averages else views

    def engine_for(self, engine: Engine, name: str, *, clip: bool) -> Engine:
        """The engine for one input: its views, and that input's imported masks, where the job has some.

        Raises:
            Refusal: there are no masks for this input.
        """
        engine = engine.with_views(self.views_of(engine, clip=clip))
        engine.source.reset()
        masks = self._masks(name, clip=clip)
        if masks is None:
            return engine
        factor = MaskSequence(masks) if clip else MaskPicture(masks, folder_reader(masks.parent))
        return engine.with_factor(factor)

    def _masks(self, name: str, *, clip: bool) -> Path | None:
        """The folder of an input's imported masks, of a picture the file."""
        folder = self.silhouettes
        if folder is None or not clip:
            return folder and folder / f"{name}.png"
        own = (folder / name / "silhouettes", folder / name, folder / "silhouettes")
        return next((f for f in own if f.is_dir()), folder)

    def masks_digest(self, name: str, kind: str) -> str:
        """Digest of names, sizes and dates of an input's imported masks; empty where none are imported."""
        masks = self._masks(name, clip=kind == "clip")
        if masks is None:
            return ""
        files = sorted(masks.glob("*.[pP][nN][gG]")) if kind == "clip" else [masks]
        about = [(p.name, s.st_size, s.st_mtime_ns) for p in files if p.exists() for s in [p.stat()]]
        return hashlib.sha256(repr(about).encode()).hexdigest()[:16]

    def smoother(self) -> Smoother | None:
        """A fresh one per clip, or none."""
        return Smoother() if self.smooth else None

    def remembers(self, engine: Engine) -> bool:
        """True when a frame's result depends on the frames before it: smoothed, or people with numbers."""
        # A missing mask is bridged by the last one.
        bridged = self.silhouettes is not None or people_number(self.factor) is not None
        return self.smooth or bridged or separates_people(engine)

    def recipe(self, engine: Engine, *, clip: bool) -> dict[str, Any]:
        """Everything that decides the results, bit for bit, but the inputs and their imported masks."""
        views = self.views_of(engine, clip=clip)
        return {
            "name": engine.name,
            "sha256": {f"{s.name}.onnx": s.sha256 for s in engine.sessions},
            "factor": str(self.silhouettes) if self.silhouettes else engine.factor_name,
            "box": str(engine.size),
            "views": "regions" if clip and engine.with_views(views).forward.regional else views.count,
            "smoothing": self.smooth,
            "frames": str(self.span) if clip else str(FrameSpan()),
            "provider": engine.provider,
            **({"style": self.style.digest} if self.style is not None and "overlay" in self.save else {}),
            **({"sides": [f"{c.frame} {c.limbs}" for c in self.sides]} if clip and self.sides else {}),
        }


def _contents(engine: Engine) -> set[str]:
    return {*(["parts"] if engine.part_set else []), *(["people"] if engine.spec.joint_set else [])}


def products_of(engine: Engine) -> list[str]:
    """The products that a model can give."""
    return [name for name, product in PRODUCTS.items() if product.needs & _contents(engine)]


def of_this_version(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe from a manifest: earlier versions had one view, all frames, and wrote the box as the size."""
    ran = {k: v for k, v in recipe.items() if k != "size"}
    return {"views": 1, "frames": str(FrameSpan()), "box": recipe.get("size"), **ran}
