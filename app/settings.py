"""Settings: frozen values, and the file in the per-user configuration folder that keeps them.

Reading never changes the file, and a bad file costs only the keys that are bad.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import time
from collections import Counter
from dataclasses import Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Protocol

from runtime.system import files, paths
from runtime.system.errors import Refusal
from runtime.system.locks import exclusive

VERSION: Final = 1
LARGEST_BYTES: Final = 1_000_000  #: ours are under 10 kB; a file above this is not settings
LONGEST_TEXT: Final = 4096  #: characters of a path or name
LOCK_PATIENCE_S: Final = 2.0
RECENT_KEPT: Final = 10


def _choice(default: str, *others: str) -> Any:  # noqa: ANN401 as dataclasses.field
    return field(default=default, metadata={"allowed": (default, *others)})


def _between(default: float, low: float, high: float) -> Any:  # noqa: ANN401 as dataclasses.field
    return field(default=default, metadata={"range": (low, high)})


def _qt_state() -> Any:  # noqa: ANN401 as dataclasses.field
    return field(default="", metadata={"longest": 100_000})


@dataclass(frozen=True)
class Settings:
    """Choices that the program keeps between two runs.

    Raises:
        ValueError: for a value of another type or outside its range, naming the field.
    """

    language: str = _choice("auto", "en", "de")  #: of the window; auto: the system's
    theme: str = _choice("auto", "light", "dark")
    palette: str = _choice("standard", "colour-blind")
    view: str = _choice(
        "overlay", "parts", "silhouette", "before-after", "cut-out", "confidence", "skeleton", "instances"
    )
    opacity: float = _between(0.6, 0.0, 1.0)  #: of the parts over the picture
    joints: bool = True  #: over the parts, of a model that gives both
    legend: bool = True
    hud: bool = False
    thumbnails: bool = True  #: of a clip, over the time line
    mirror: bool = True  #: live sources only, display only
    hidden_parts: tuple[str, ...] = ()
    smoothing: bool = True
    model: str = "factored-s31"
    factor: str = ""  #: empty: the network's own
    device: str = _choice("auto", "cpu", "cuda")
    network_size: int = _between(0, 0, 4096)  #: longer side, px; 0: what the model was tuned for
    looks: str = _choice("auto", "1", "2", "6", "regions")  #: at a picture; auto: 6, and 1 at video
    camera_modes: tuple[str, ...] = ()  #: of cameras by name, as `NAME=1280x720@30`
    recent: tuple[str, ...] = ()  #: sources, newest first
    folder: str = ""  #: where the last file was opened
    recordings: str = ""  #: where recordings and snapshots go; empty: the user's videos folder
    shortcuts: tuple[str, ...] = ()  #: keys of the user's own, `action: Ctrl+X; Y`; without a key: `action:`
    export_folder: str = ""  #: where exports go; empty: the folder of recordings
    export_save: tuple[str, ...] = ("overlay",)  #: products of the last export
    export_alpha: str = _choice("mov", "webm")
    export_as_seen: bool = True  #: overlays in the style of the window; else every part in the usual way
    geometry: str = _qt_state()  #: of the window, as Qt wrote it, base64
    layout: str = _qt_state()  #: of docks and tool bars, as Qt wrote it, base64

    def __post_init__(self) -> None:
        for entry in fields(self):
            problem = _problem(entry, getattr(self, entry.name))
            if problem:
                raise ValueError(f"{entry.name}: {problem}")

    def with_recent(self, source: str) -> tuple[str, ...]:
        """`recent` with `source` on top, once."""
        return (source, *(s for s in self.recent if s != source))[:RECENT_KEPT]


class SettingsOwner(Protocol):
    """Part of the program that has the settings of this run."""

    settings: Settings


def network_threads(cores: int | None = None) -> int:
    """Threads of a network: a core is left for the window and one for decoding where there are that many."""
    return max(1, (cores if cores is not None else len(os.sched_getaffinity(0))) - 2)


class SettingsFile:
    """Settings on disk. Two programs may have it open: each saves only what it changed itself.

    Attributes:
        notices: what the user should be told about the file, one sentence each.
        read_only: why the file is never saved over (a newer version wrote it, it cannot be read); else empty.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or paths.user_config_dir() / "settings.json"
        self.notices: list[str] = []
        self.read_only = ""
        self._base = Settings()  # what the file said when we last saw it

    def load(self) -> Settings:
        """The file's settings; the default for every key that is missing or wrong. Never fails."""
        self.notices = []
        found, _ = self._read()
        self._base = found or Settings()
        folder = next(p for p in (self.path.parent, *self.path.parents) if os.access(p, os.F_OK))
        if not self.read_only and not os.access(folder, os.W_OK | os.X_OK):
            self.notices.append(f"{folder} cannot be written. Changes to settings will not be saved")
        return self._base

    def save(self, settings: Settings) -> Settings:
        """Write what changed since `load` over what the file says now.

        Returns:
            What the file holds afterwards: ours, and what another instance saved meanwhile.

        Raises:
            Refusal: nothing was changed on disk.
        """
        try:
            folder = files.make_private_dir(self.path.parent)
            with exclusive(folder, patience_s=LOCK_PATIENCE_S):
                current, unknown = self._read()
                if self.read_only:
                    raise Refusal(str(self.path), self.read_only, "Move it away to save settings again")
                merged = _merge(self._base, settings, current) if current else settings
                document = {"version": VERSION, **unknown, **asdict(merged)}
                text = json.dumps(document, indent=2, allow_nan=False) + "\n"
                files.write_atomic(self.path, text.encode("ascii"))
                files.sweep_temporaries(folder)
        except OSError as e:
            reason = f"settings were not saved ({e.strerror or e})"
            raise Refusal(str(self.path), reason, "Free space, or set XFACTOR_HOME to another folder") from e
        self._base = merged
        return merged

    def reset(self) -> Path | None:
        """Start from defaults; the old file is kept under another name, which is returned."""
        self._base, self.read_only, self.notices = Settings(), "", []
        kept = self.path.with_name(f"settings.before-reset-{_stamp()}")
        try:
            self.path.rename(kept)
        except FileNotFoundError:
            return None
        except OSError as e:
            raise Refusal(
                str(self.path), f"it cannot be moved away ({e.strerror})", "Delete it by hand"
            ) from e
        return kept

    def _read(self) -> tuple[Settings | None, dict[str, Any]]:
        """Settings in the file (None: no file, or not one of settings), and the keys that we do not know."""
        self.read_only = ""
        try:
            raw = self._bytes()
        except FileNotFoundError:
            return None, {}
        except OSError as e:
            self._use_read_only(f"it cannot be read ({e.strerror})")
            return None, {}
        document = _parse(raw)
        if document is None:
            self._keep_aside("it is not a settings file")
            return None, {}
        version = document.pop("version", VERSION)
        if type(version) is int and version > VERSION:
            self._use_read_only("a newer version of xfactor wrote it")
        return self._understand(document, ["version"] if type(version) is not int or version < 1 else [])

    def _bytes(self) -> bytes:
        about = self.path.stat()
        if not stat.S_ISREG(about.st_mode):  # reading a pipe or a device may never end
            raise OSError(errno.EINVAL, "not a regular file")
        return self.path.read_bytes() if about.st_size <= LARGEST_BYTES else b""

    def _use_read_only(self, reason: str) -> None:
        self.read_only = reason
        self.notices.append(f"{self.path}: {reason}. Changes to settings will not be saved")

    def _understand(self, document: dict[str, Any], bad: list[str]) -> tuple[Settings, dict[str, Any]]:
        known = {entry.name: entry for entry in fields(Settings)}
        good: dict[str, Any] = {}
        for key, value in document.items():
            if key not in known:
                continue
            ready = tuple(value) if isinstance(value, list) else value
            if _problem(known[key], ready):
                bad.append(key)
            else:
                good[key] = ready
        if bad and not self.read_only:
            self._keep_aside(f"{', '.join(bad)} cannot be used")
        return Settings(**good), {k: v for k, v in document.items() if k not in known}

    def _keep_aside(self, reason: str) -> None:
        """Give the bad bytes a second name, once, so that the next save does not lose them."""
        for earlier in self.path.parent.glob("settings.corrupt-*"):
            with contextlib.suppress(OSError):
                if earlier.samefile(self.path):
                    self.notices.append(
                        f"{self.path}: {reason}. Defaults are used; the file is kept as {earlier}"
                    )
                    return
        kept = self.path.with_name(f"settings.corrupt-{_stamp()}")
        try:
            os.link(self.path, kept)
        except OSError:  # a file system without hard links, or one we may not write
            try:
                self.path.rename(kept)
            except OSError:
                self.notices.append(f"{self.path}: {reason}. Defaults are used")
                return
        self.notices.append(f"{self.path}: {reason}. Defaults are used; the file is kept as {kept}")


def _problem(entry: Field[Any], value: object) -> str:
    """Reason why a value does not fit a field, or nothing."""
    default = entry.default
    if isinstance(default, tuple):
        if not isinstance(value, tuple) or not all(isinstance(v, str) for v in value):
            return "expected a list of texts"
    elif isinstance(default, float):
        if type(value) not in (int, float):
            return "expected a number"
    elif type(value) is not type(default):
        return f"expected {type(default).__name__}"
    texts = value if isinstance(value, tuple) else (value,)
    longest = entry.metadata.get("longest", LONGEST_TEXT)
    if any(isinstance(text, str) and len(text) > longest for text in texts):
        return f"expected at most {longest} characters"
    low, high = entry.metadata.get("range", (None, None))
    if low is not None and not low <= value <= high:
        return f"expected {low} to {high}"
    allowed = entry.metadata.get("allowed")
    return f"expected one of {', '.join(allowed)}" if allowed and value not in allowed else ""


def _parse(raw: bytes) -> dict[str, Any] | None:
    """A JSON object, or None. A key given twice and a NaN count as wrong values of their key."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        times = Counter(name for name, _ in items)
        return {name: value if times[name] == 1 else None for name, value in items}

    try:
        text = raw.decode("utf-8-sig")
        document = json.loads(text, object_pairs_hook=pairs, parse_constant=lambda _: None)
    except (ValueError, RecursionError):  # ValueError: also what is not UTF-8, and integers of 5 000 digits
        return None
    return document if isinstance(document, dict) else None


def _merge(base: Settings, ours: Settings, current: Settings) -> Settings:
    """`current` with every field that we changed since `base`."""
    changed = {
        f.name: getattr(ours, f.name)
        for f in fields(Settings)
        if getattr(ours, f.name) != getattr(base, f.name)
    }
    return Settings(**{**{f.name: getattr(current, f.name) for f in fields(Settings)}, **changed})


def _stamp() -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 1_000_000_000:09d}"
