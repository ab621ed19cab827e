"""The resolution of results: that of the network for live video, or that of the displayed picture."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.engine.letterbox import Letterbox


@dataclass(frozen=True)
class Detail:
    """At which resolution labels are decided."""

    name: str
    of_picture: bool  #: at the displayed picture's size, else at the network's
    longest: int  #: px, no result is larger

    def size(self, letterbox: Letterbox) -> tuple[int, int]:
        """(width, height) of the result, px."""
        width, height = letterbox.picture if self.of_picture else letterbox.content
        scale = min(1.0, self.longest / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))


LIVE = Detail("live", of_picture=False, longest=768)
FULL = Detail("full", of_picture=True, longest=1920)
