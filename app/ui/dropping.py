"""What was dropped on the window, as the text that opening a source or a model takes."""

from __future__ import annotations

from PyQt6.QtCore import QMimeData


def dropped(data: QMimeData | None) -> str:
    """The first file or folder, or the text of a link; empty when it is nothing that can be opened."""
    if data is None:
        return ""
    for url in data.urls():
        if url.isLocalFile():
            return url.toLocalFile()
        if url.scheme() in {"http", "https"}:
            return url.toString()
    text = data.text().strip() if data.hasText() else ""
    return text if text.startswith(("https://", "http://")) and len(text.split()) == 1 else ""


def is_model(path: str) -> bool:
    """Whether a dropped file is a model or a factor rather than a source."""
    return path.lower().endswith(".onnx")
