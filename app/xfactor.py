"""X factor: where the silhouette comes from, as one entry of the menu."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime.engine.source import SilhouetteSource
from runtime.silhouettes.people import PeopleSilhouette


@dataclass(frozen=True)
class XFactor:
    """One entry of the X-factor menu that can be in use."""

    key: str  #: `own`, `plate`, `chroma`, `motion`, `masks`, `network`, or the path of a factor file
    name: str
    source: SilhouetteSource | None = None  #: None: the network's own
    trunk: str = ""  #: sha256 of the only trunk it works with, empty when it works with any

    def elsewhere(self) -> XFactor:
        """Everybody in the place of one person; any other as it is."""
        source = self.source.everybody() if isinstance(self.source, PeopleSilhouette) else None
        return self if source is None else replace(self, key=source.name, name=source.name, source=source)
