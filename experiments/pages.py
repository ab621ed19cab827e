"""Pages of docs/experiments: Markdown templates filled with tables, plots and maps of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.bootstrap import Interval
from models.labels import S31
from training import markdown

TEMPLATES = Path(__file__).with_name("templates")
Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]
COLOURS = ("#8c8c8c", "#0072b2", "#56b4e9", "#d55e00", "#e69f00", "#009e73")  # told apart by everyone


def filled(template: str, **values: object) -> str:
    """The Markdown of one of the experiments' templates."""
    return markdown.filled(TEMPLATES / f"{template}.md", **values)


def _ends(value: float | Interval) -> tuple[float, float, float]:
    return value[:3] if isinstance(value, Interval) else (value, value, value)


@dataclass(frozen=True)
class Page:
    """One experiment's page; plots stand beside it."""

    folder: Path
    name: str  #: 1-state-of-the-art: of the template, the page and its plots

    def write(self, **values: object) -> None:
        """Fill the template of this name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{self.name}.md").write_text(filled(self.name, **values) + "\n", encoding="utf-8")

    def bars(self, file: str, groups: Mapping[str, Mapping[str, float | Interval]], label: str) -> str:
        """A bar per class and group, with its interval; the Markdown that shows it."""
        classes = list(next(iter(groups.values())))
        figure = Figure(figsize=(9, 3.2), dpi=110)  # no pyplot: no display, no state
        axes = figure.subplots()
        width = 0.8 / len(groups)
        for i, (name, values) in enumerate(groups.items()):
            at = np.arange(len(classes)) + (i - (len(groups) - 1) / 2) * width
            means, low, high = zip(*(_ends(values[c]) for c in classes), strict=True)
            ends = np.maximum(0, [np.subtract(means, low), np.subtract(high, means)])
            errors = ends if ends.any() else None
            axes.bar(at, means, width, label=name, color=COLOURS[i], yerr=errors, error_kw={"lw": 0.8})
        axes.set_xticks(range(len(classes)), classes, rotation=40, ha="right", fontsize=8)
        axes.set_ylabel(label)
        return self._save(figure, axes, file)

    def lines(
        self, file: str, x: Sequence[float], series: Mapping[str, Sequence[float]], labels: tuple[str, str]
    ) -> str:
        """One line per series; the Markdown that shows it."""
        figure = Figure(figsize=(6.4, 3.4), dpi=110)
        axes = figure.subplots()
        for i, (name, values) in enumerate(series.items()):
            axes.plot(x, values, marker="o", markersize=3, label=name, color=COLOURS[i % len(COLOURS)])
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        return self._save(figure, axes, file)

    def _save(self, figure: Figure, axes: Axes, file: str) -> str:
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=8, frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
        figure.tight_layout()
        self.folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(self.folder / f"{self.name}-{file}.png", metadata={"Software": None})
        return f"![{file}]({self.name}-{file}.png)"

    def maps(self, file: str, columns: Mapping[str, Sequence[Image]], shaded: Sequence[Mask] = ()) -> str:
        """Label maps side by side, a row for each person, no picture; darker where `shaded`; the Markdown."""
        palette = S31.palette()
        palette[0] = 245
        rows = []
        for i, row in enumerate(zip(*columns.values(), strict=True)):
            painted = [palette[m] for m in row]
            if shaded:
                painted = [np.where(shaded[i][..., None], p // 5 * 3, p) for p in painted]
            rows.append(np.hstack([np.pad(p, ((1, 1), (1, 1), (0, 0))) for p in painted]))
        sheet = np.kron(np.vstack(rows), np.ones((2, 2, 1), np.uint8)).astype(np.uint8)
        head = np.full((24, sheet.shape[1], 3), 255, np.uint8)
        for i, name in enumerate(columns):
            at = (i * sheet.shape[1] // len(columns) + 4, 16)
            cv2.putText(head, name, at, cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA)
        self.folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(self.folder / f"{self.name}-{file}.png"), np.vstack([head, sheet])[..., ::-1])
        return f"![{file}]({self.name}-{file}.png)"
