"""Cache of downloaded clips: each under its video's id, deleted after some days."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.download.messages import SUFFIXES
from runtime.media.links import YOUTUBE, Link
from runtime.media.opening import open_media
from runtime.system.errors import Refusal, printable
from runtime.system.files import make_private_dir, write_atomic
from runtime.system.paths import user_links_dir

KEPT_DAYS: Final = 14
TITLE: Final = "title.txt"


class DownloadCache:
    """The folder of downloaded clips; private, and emptied of what nobody opened for two weeks.

    Attributes:
        folder: created when something is put there.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_links_dir()

    def prepare(self) -> Path:
        """Make the folder, and remove what is too old.

        Raises:
            Refusal: it cannot be made.
        """
        try:
            make_private_dir(self.folder)
        except OSError as e:
            reason = f"it cannot be made ({e.strerror or e})"
            raise Refusal(f"folder {self.folder}", reason, "Check the disk and your rights") from e
        for file in self.outdated():
            with suppress(OSError):
                file.unlink()
        return self.folder

    def outdated(self) -> list[Path]:
        """Files that nobody opened for `KEPT_DAYS`."""
        oldest = time.time() - KEPT_DAYS * 86_400
        found = []
        for file in self._files():
            with suppress(OSError):
                found += [file] if file.stat().st_mtime < oldest else []
        return found

    def kept(self, link: Link) -> Path | None:
        """The clip of an earlier download, once it has passed the checks of any opened clip."""
        for suffix in sorted(SUFFIXES):
            path = self.folder / f"{link.id}.{suffix}"
            if path.exists():
                with suppress(Refusal):
                    return self.arrived(path)
        return None

    def arrived(self, path: Path) -> Path:
        """A downloaded file that opens; it counts as used from now on.

        Raises:
            Refusal: it does not (F12); then it is gone, so that the link can be opened again.
        """
        try:
            open_media(path).close()
        except Refusal:
            with suppress(OSError):
                path.unlink()
            raise
        with suppress(OSError):
            path.touch()
        return path

    def name(self, link: Link, title: str) -> None:
        """Remember what the clip is called."""
        with suppress(OSError):
            write_atomic(self.folder / f"{link.id}.{TITLE}", printable(title).encode())

    def title(self, link: Link) -> str:
        """Title of the video; the link itself while the title is unknown."""
        try:
            return printable((self.folder / f"{link.id}.{TITLE}").read_text("utf-8", "replace")) or link.name
        except OSError:
            return link.name

    def link_of(self, path: Path) -> Link | None:
        """The link a clip of this folder came from."""
        video = path.name.split(".", maxsplit=1)[0]
        return Link(video, YOUTUBE.page.format(video)) if path.parent == self.folder else None

    def contents(self) -> tuple[int, int]:
        """Number of cached files, and their bytes."""
        sizes = []
        for file in self._files():
            with suppress(OSError):
                sizes.append(file.stat().st_size)
        return len(sizes), sum(sizes)

    def forget(self) -> int:
        """Delete every download, partial ones too; how many files went."""
        gone = 0
        for file in self._files():
            with suppress(OSError):
                file.unlink()
                gone += 1
        return gone

    def _files(self) -> list[Path]:
        with suppress(OSError):
            return [f for f in self.folder.iterdir() if f.is_file() or f.is_symlink()]
        return []
