"""Dropped data as the address of a source or of a model."""

from __future__ import annotations

import re
from typing import Final

from PyQt6.QtCore import QMimeData

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


def is_model(path: str) -> bool:
    """True for a model or a factor, False for a source."""
    return path.lower().endswith(".onnx")
