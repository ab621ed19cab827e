"""Dropped data as the address of a source or of a model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from PyQt6.QtCore import QMimeData, QRect, Qt
from PyQt6.QtWidgets import QLabel, QWidget

from app.ui.translation import tr

LONGEST: Final = 4000  # characters of a dropped text that anybody looks at


def dropped(data: QMimeData | None) -> str:
    """The first file or folder, or the text of a link; empty when it is nothing that can be opened."""
    if data is None:
        return ""
    for url in data.urls():
        if url.isLocalFile():
            return url.toLocalFile()
        if url.scheme() in {"http", "https"}:
            return bytes(url.toEncoded().data()).decode("ascii", "replace")  # as it was given, not prettified
    text = data.text().strip() if data.hasText() else ""
    # Any scheme: what cannot be opened is refused in words, not by a window that does nothing.
    link = re.match(r"[A-Za-z][A-Za-z0-9+.-]+:\S", text) and not re.search(r"\s", text)
    return text[:LONGEST] if link else ""


def all_dropped(data: QMimeData | None) -> list[str]:
    """Every file and folder, or the text of a link alone."""
    files = [url.toLocalFile() for url in data.urls() if url.isLocalFile()] if data is not None else []
    return files or [t for t in (dropped(data),) if t]


def is_model(path: str) -> bool:
    """True for a model or a factor, also for a folder of model files; False for a source."""
    return path.lower().endswith(".onnx") or (Path(path).is_dir() and any(Path(path).glob("*.onnx")))


class DropHint(QLabel):
    """A frame over its parent, with words for what a drop would do."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("drop-hint")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def show_for(self, text: str, area: QRect) -> None:
        """Come up for what `dropped` found."""
        name = Path(text).name or text
        words = "Use {name} as model or X factor" if is_model(text) else "Open {name}"
        self.setText(tr(words).format(name=name))
        self.setGeometry(area)
        self.raise_()
        self.show()
