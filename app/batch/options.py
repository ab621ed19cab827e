"""What is to be parsed, with what, and what is kept of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from runtime.engine.augmentation import ONE, Views, chosen
from runtime.engine.detail import FULL
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.engine.temporal import Smoother
from runtime.silhouettes.mask_files import MaskPicture, MaskSequence, folder_reader
from runtime.system.errors import Refusal

SAVES: Final = ("labels", "silhouettes", "overlay", "coco", "csv", "alpha")
DEFAULT_SAVES: Final = ("labels", "silhouettes", "overlay")


@dataclass(frozen=True)
class Job:
    """One call of `xfactor parse`."""

    sources: tuple[str, ...]
    out: Path
    save: tuple[str, ...] = DEFAULT_SAVES
    model: str = "factored-s31"
    factor: str = ""  #: name or file; empty is the model's own
    silhouettes: Path | None = None  #: imported masks in the factor's place
    size: str = ""  #: of the network's input; empty is the model's own
    views: Literal["auto", "1", "2", "6"] = "auto"  #: looks at each picture; auto is 6, and 1 for clips
    device: str = "auto"
    resume: bool = False
    smooth: bool = True  #: calm the labels of clips over time, as the window does
    alpha: Literal["mov", "webm"] = "mov"
    refused: tuple[tuple[str, str], ...] = ()  #: links that are not there as files, and why

    def to_json(self) -> dict[str, Any]:
        """Plain values, for another process."""
        return {k: str(v) if isinstance(v, Path) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Job:
        """The inverse of `to_json`."""
        masks = Path(raw["silhouettes"]) if raw["silhouettes"] else None
        refused = tuple((link, reason) for link, reason in raw["refused"])
        lists = {"sources": tuple(raw["sources"]), "save": tuple(raw["save"]), "refused": refused}
        return cls(**{**raw, **lists, "out": Path(raw["out"]), "silhouettes": masks})

    def load(self, threads: int = 1) -> Engine:
        """The engine, deciding at the displayed size.

        Raises:
            Refusal: model, factor, size, views or device cannot be used.
        """
        if self.silhouettes is not None and not self.silhouettes.is_dir():
            raise Refusal(
                f"silhouettes {self.silhouettes}", "there is no such folder", "Give a folder of PNG masks"
            )
        engine = load_engine(
            self.model,
            device=self.device,
            factor=Path(self.factor) if self.factor else None,
            threads=threads,
            size=NetworkSize.parse(self.size) if self.size else None,
        )
        for clip in (False, True):
            engine.with_views(self.views_of(engine, clip=clip))
        return engine.with_detail(FULL)

    def views_of(self, engine: Engine, *, clip: bool) -> Views:
        """How an input is looked at; a model without an average has one view, if nobody asks for more."""
        views = chosen(self.views, video=clip)
        return ONE if self.views == "auto" and not engine.averages else views

    def engine_for(self, engine: Engine, name: str, *, clip: bool) -> Engine:
        """The engine for one input: its views, and that input's imported masks, where the job has some.

        Raises:
            Refusal: there are no masks for this input.
        """
        engine = engine.with_views(self.views_of(engine, clip=clip))
        if self.silhouettes is None:
            return engine
        folder = self.silhouettes
        if not clip:
            return engine.with_factor(MaskPicture(folder / f"{name}.png", folder_reader(folder)))
        for own in (folder / name / "silhouettes", folder / name, folder / "silhouettes"):
            if own.is_dir():
                return engine.with_factor(MaskSequence(own))
        return engine.with_factor(MaskSequence(folder))

    def smoother(self) -> Smoother | None:
        """A fresh one per clip, or none."""
        return Smoother() if self.smooth else None

    @property
    def remembers(self) -> bool:
        """Whether a frame's result depends on the frames before it."""
        return self.smooth or self.silhouettes is not None  # a missing mask is bridged by the last one

    def recipe(self, engine: Engine, *, clip: bool) -> dict[str, Any]:
        """What decides the results, bit for bit; two runs with one recipe may share a folder."""
        return {
            "name": engine.name,
            "sha256": {f"{s.name}.onnx": s.sha256 for s in engine.sessions},
            "factor": str(self.silhouettes) if self.silhouettes else engine.factor_name,
            "size": str(engine.size),
            "views": self.views_of(engine, clip=clip).count,
            "smoothing": self.smooth,
            "provider": engine.provider,
        }
