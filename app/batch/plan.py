"""The inputs of a run, the names of their results, and the check of the folder for them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from app.batch.claims import Claims, OwnFiles
from app.batch.options import ParseJob
from app.batch.placement import sweep
from runtime.media.file_types import CLIP_SUFFIXES
from runtime.media.images import SUFFIXES, inner_folders, natural
from runtime.media.sources import classify
from runtime.output.products import PICTURE_FOLDERS, PRODUCTS, SHARED_NAMES
from runtime.system.disk import FULL, cannot_write_into
from runtime.system.errors import Refusal, printable
from runtime.system.files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX

_TAKEN: Final = frozenset({*PICTURE_FOLDERS, *SHARED_NAMES, "manifest.json", "labels.json"})
_WINDOWS: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))}
)
LEAST_FREE_BYTES: Final = 50_000_000


@dataclass(frozen=True)
class Item:
    """One input."""

    path: str  #: absolute
    kind: Literal["clip", "image", "bad"]
    name: str  #: of its results, unique in the folder
    reason: str = ""  #: why it is bad
    fresh: bool = False  #: made anew even with --resume
    claims: Claims = field(default_factory=dict, compare=False)  #: on results that count
    replaced: Claims = field(default_factory=dict, compare=False)  #: on results that are made again
    inside: str = ""  #: with --recursive the path below the folder that was given

    def files(self, out: Path) -> OwnFiles:
        """Its files that earlier runs wrote into the output folder."""
        return OwnFiles(out / self.name if self.kind == "clip" else out, self.claims, self.replaced)

    @property
    def shown(self) -> str:
        """The file's name, for people."""
        return printable(Path(self.path).name)

    @property
    def file_name(self) -> str:
        """The file's own name, for COCO and the table; with --recursive its path below the folder given."""
        return "".join(c if c.isprintable() else "_" for c in self.inside or Path(self.path).name)


def plan(job: ParseJob, known: dict[str, str]) -> list[Item]:
    """The inputs of a job in order, each once.

    Args:
        job: Folders among its sources stand for the pictures and clips directly in them.
        known: Input → name of its results, from an earlier run into the same folder.
    """
    used = {*_TAKEN, *(name.casefold() for name in known.values())}
    items: dict[str, Item] = {}
    links = dict(job.refused)
    for text, inside in _expanded(job):
        path = text if text in links else str(Path(text).absolute())
        if path in items:
            continue
        kind, reason = _kind(text, links)
        name = known.get(path) or _unique(safe(Path(path).stem), used)
        used.add(name.casefold())
        items[path] = Item(path, kind, name, reason, inside=inside)
    return list(items.values())


def _expanded(job: ParseJob) -> Iterator[tuple[str, str]]:
    """Each input, and its path below the folder given where --recursive found it."""
    for text in job.sources:
        if not _folder(Path(text)) or _closed(Path(text)):
            yield text, ""
            continue
        found = [p for p in _inside(Path(text), job) if _parsed(p) or (job.recursive and _closed(p))]
        if not found:
            inner = inner_folders(text, SUFFIXES | CLIP_SUFFIXES)
            deeper = not job.recursive and any(map(_folder, _inside(Path(text), job)))
            elsewhere = f", but in its folders {inner}" if inner else ""
            remedy = "Give one of them" if inner else "Give another folder"
            remedy += ", or all that is below with --recursive" if deeper else ""
            raise Refusal(f"folder {text}", f"there are no pictures or clips in it{elsewhere}", remedy)
        yield from ((str(p), str(p.relative_to(text)) if job.recursive else "") for p in found)


def _inside(folder: Path, job: ParseJob) -> Iterator[Path]:
    """Everything in a folder that is not hidden; with --recursive in its sub-folders, too, but the output."""
    try:
        inside = sorted((p for p in folder.iterdir() if not p.name.startswith(".")), key=natural)
    except OSError as e:
        reason = f"it cannot be read ({e.strerror})"
        raise Refusal(f"folder {folder}", reason, "Check its permissions") from e
    for path in inside:
        yield path
        enter = job.recursive and _folder(path) and not path.is_symlink() and not _closed(path)
        if enter and not _same(path, job.out):
            yield from _inside(path, job)


def _folder(path: Path) -> bool:
    """True for a folder; unlike `Path.is_dir` it has an answer for every name."""
    with contextlib.suppress(OSError, ValueError):
        return path.is_dir()
    return False


def _closed(path: Path) -> bool:
    """True for a folder that this user may not enter."""
    return _folder(path) and not os.access(path, os.R_OK | os.X_OK)


def _same(one: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):
        return one.samefile(other)
    return False


def _parsed(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES | CLIP_SUFFIXES and not _folder(path)


def passed_over(job: ParseJob) -> list[str]:
    """A line for each folder among the sources with something in it that is not parsed."""
    lines = []
    for folder in (Path(s) for s in job.sources if _folder(Path(s)) and not _closed(Path(s))):
        left = [p for p in _inside(folder, job) if not _parsed(p)]
        inner = [] if job.recursive else [p for p in left if _folder(p)]
        files = [p for p in left if not _folder(p)]
        counts = ((len(inner), "subfolder"), (len(files), "file"))
        listed = " and ".join(f"{n} {what}{'s' * (n != 1)}" for n, what in counts if n)
        if listed:
            hint = "; --recursive enters subfolders" if inner else ""
            lines.append(f"{printable(folder.name)}: {listed} skipped, neither a picture nor a clip{hint}")
    return lines


def _kind(text: str, refused: dict[str, str]) -> tuple[Literal["clip", "image", "bad"], str]:
    if text in refused:
        return "bad", refused[text]
    try:
        source = classify(text)
    except Refusal as e:
        return "bad", str(e)
    match source.kind:
        case "clip" | "image":
            return source.kind, ""
        case "link":
            return (
                "bad",
                f"{source.name}: the link was not downloaded. Download the clip and give the file",
            )
        case "folder":
            return "bad", f"{source.name}: you may not read this folder. Ask its owner for the right to"
        case _:
            return "bad", f"{source.name}: only files are parsed by this command. Open a camera in the window"


def safe(stem: str) -> str:
    """A stem that names a folder or file inside the output folder, on every system."""
    clean = "".join("_" if c in '<>:"/\\|?*' or not c.isprintable() else c for c in stem).strip(". ")
    while len(clean.encode("utf-8", "replace")) > 200:
        clean = clean[:-1]
    return f"_{clean}" if not clean or clean.split(".", maxsplit=1)[0].casefold() in _WINDOWS else clean


def names_results(name: str) -> bool:
    """True for a name that results of an input can have: nothing that leads out of the folder."""
    plain = name.isprintable() and not set(name) & set('<>:"/\\|?*') and len(name.encode()) <= 255
    return plain and name not in ("", ".", "..") and name.casefold() not in _TAKEN


def _unique(name: str, used: set[str]) -> str:
    candidate, n = name, 1
    while candidate.casefold() in used:  # also on systems that do not tell A from a
        n += 1
        candidate = f"{name}-{n}"
    return candidate


def clips_only(job: ParseJob) -> str:
    """Those products of a job that pictures have nothing of, as `--save` takes them."""
    return ",".join(s for s in job.save if PRODUCTS[s].of_clips_only)


def refuse_pictures_alone(job: ParseJob, items: Sequence[Item]) -> None:
    """Refuse a job that asks for nothing but what only clips get, and has none.

    Raises:
        Refusal: it says how a folder of frames becomes a clip.
    """
    nothing_else = all(PRODUCTS[s].of_clips_only for s in job.save)
    if items and job.save and nothing_else and all(i.kind == "image" for i in items):
        example = "ffmpeg -framerate 25 -pattern_type glob -i 'FOLDER/*.png' clip.mp4"
        remedy = f"Give a clip; of a folder of frames make one, as with: {example}"
        raise Refusal(f"--save {clips_only(job)}", "it is of clips, and every input is a picture", remedy)


def prepare(job: ParseJob, items: Sequence[Item], leftovers: Iterable[Path] = ()) -> None:
    """Make the output folder, and make sure that results can be written to it and to no input.

    Args:
        job: Names the folder.
        items: The inputs.
        leftovers: Unfinished files of earlier runs, removed where there is no room.

    Raises:
        Refusal: before anything was parsed.
    """
    out = job.out
    _refuse_overwriting(out, items)
    try:
        out.mkdir(parents=True, exist_ok=True)
        clips = [out / item.name for item in items if item.kind == "clip"]
        for folder in (out, *(at / name for at in (out, *clips) for name in ("", *PICTURE_FOLDERS))):
            sweep(folder)
        try:
            free = _free_bytes(out)
        except OSError as e:
            if e.errno not in FULL:
                raise
            free = 0
        if free < LEAST_FREE_BYTES:
            for path in leftovers:
                path.unlink(missing_ok=True)
            free = _free_bytes(out)
    except FileExistsError as e:
        raise Refusal(f"output {out}", "it is a file, not a folder", "Choose another --out") from e
    except OSError as e:
        raise cannot_write_into(out, e) from e
    if free < LEAST_FREE_BYTES:
        need = f"at least {LEAST_FREE_BYTES / 1e6:.0f} MB are needed"
        reason = f"its disk has {free / 1e6:.0f} MB free, and {need}"
        raise Refusal(f"output {out}", reason, "Make room or choose another --out")


def _free_bytes(out: Path) -> int:
    """Room on the disk of a folder that takes files."""
    probe = out / f"{TEMPORARY_PREFIX}{os.getpid()}{TEMPORARY_SUFFIX}"
    try:
        probe.write_bytes(b"x")
    finally:
        probe.unlink(missing_ok=True)
    return shutil.disk_usage(out).free


def _refuse_overwriting(out: Path, items: Sequence[Item]) -> None:
    ours = [
        (out / name).resolve() for name in (*PICTURE_FOLDERS, *(i.name for i in items if i.kind == "clip"))
    ]
    for item in (i for i in items if i.kind != "bad"):
        real = Path(item.path).resolve()
        if any(folder in real.parents for folder in ours) or (
            real.parent == out.resolve() and real.name in _TAKEN
        ):
            raise Refusal(item.shown, f"results would be written over it in {out}", "Choose another --out")
