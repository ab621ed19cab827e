"""Results and manifest where the system refuses, or the process dies, at any call (rows C04, D02, I02)."""

from __future__ import annotations

import errno
import gc
import itertools
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from app.batch.clip_task import Report
from app.batch.item import loaded, work
from app.batch.options import ParseJob
from app.batch.plan import Item
from app.batch.run import BatchReport, BatchRun, Outcome
from runtime.engine.engine import Engine
from runtime.system.disk import CannotWriteError, cannot_write
from runtime.system.errors import Refusal
from runtime.system.reporter import ProgressReporter
from runtime.system.stop_signal import Stop
from tests.drawn_media import draw_clip, picture
from tests.e2e.command import files
from tests.unit.app.fault_injection import Died, Injector, dying_call, failing_call

CODES = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS, errno.EDQUOT)
LITTER = ".xfactor-"
STEP = 17  # from one call that fails to the next; 1 takes minutes


class Batch:
    """One clip and one picture parsed in this process."""

    def __init__(self, folder: Path) -> None:
        draw_clip(folder / "a.mp4", 2)
        Image.fromarray(picture(3, (48, 32))).save(folder / "b.png")
        sources = str(folder / "a.mp4"), str(folder / "b.png")
        self.job = ParseJob(
            sources, folder / "out", ("labels", "coco", "csv"), size="64", views="1", device="cpu"
        )
        self.engines = {smooth: loaded(replace(self.job, smooth=smooth), 1)[1:] for smooth in (True, False)}

    def run(
        self, out: Path, *, resume: bool, smooth: bool = True, meanwhile: Callable[[], object] | None = None
    ) -> int:
        """Parse, and do something else after the first frame; the recipe is another without smoothing."""
        job = replace(self.job, out=out, resume=resume, smooth=smooth)
        engine, model = self.engines[smooth]
        with closing(ProgressReporter("none")) as reporter:
            run = BatchRun(job, Stop(), model, reporter)
            run.start()
            return run.all(partial(self._here, job, engine, meanwhile))

    @staticmethod
    def _here(
        job: ParseJob,
        engine: Engine,
        meanwhile: Callable[[], object] | None,
        items: Sequence[Item],
        report: BatchReport,
    ) -> Iterator[Outcome]:
        def advance(item: Item, frames: int) -> None:
            nonlocal meanwhile
            todo, meanwhile = meanwhile, None
            if todo is not None:
                todo()
            report.advance(item, frames)

        for item in items:
            report.begin(item)
            own = Report(partial(report.expect, item), partial(advance, item), report.stopped)
            yield item, *work(item, job, engine, own)


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return Batch(tmp_path_factory.mktemp("batch"))


def finish(batch: Batch, out: Path) -> None:
    try:
        ended = batch.run(out, resume=True, smooth=False)
    except Refusal:  # the run before had come no further than the old results, of another recipe
        ended = batch.run(out, resume=False, smooth=False)
    assert ended == 0


def test_unfinished_files_of_a_dead_run_do_not_fill_the_disk(
    batch: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--resume` removes them before it asks for room, and only where there is none."""

    def die() -> None:
        raise Died

    def usage(_: object) -> SimpleNamespace:
        return SimpleNamespace(free=0 if left.exists() else 10**9)

    left = tmp_path / "a" / "coco.part.json"
    with pytest.raises(Died):
        batch.run(tmp_path, resume=False, meanwhile=die)
    assert left.exists()
    mine = left.with_name("overlay.part.mp4")
    mine.touch()
    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert batch.run(tmp_path, resume=True) == 0
    assert mine.exists()


def test_a_full_disk_names_the_input_and_the_way_on(batch: Batch, tmp_path: Path) -> None:
    def fill() -> None:
        raise cannot_write(tmp_path / "manifest.json", OSError(errno.ENOSPC, ""))

    with pytest.raises(CannotWriteError, match=r"the disk is full\. Make room.* at a\.mp4: --resume"):
        batch.run(tmp_path, resume=False, meanwhile=fill)
    assert not list(tmp_path.rglob("*.part.*"))


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("again", [False, True])
def test_a_fault_at_any_call_loses_nothing(batch: Batch, tmp_path: Path, dies: bool, again: bool) -> None:
    """Every file is the old or the new one, and a second run makes the rest."""
    assert batch.run(tmp_path / "new", resume=False, smooth=False) == 0
    assert batch.run(tmp_path / "old", resume=False) == 0
    new, old = files(tmp_path / "new"), files(tmp_path / "old") if again else {}
    seen, out = set(), tmp_path / "out"
    for n in itertools.count(1 + dies + 2 * again, STEP):
        shutil.rmtree(out, ignore_errors=True)
        if again:
            shutil.copytree(tmp_path / "old", out)
        fault: AbstractContextManager[Injector] = (
            dying_call(n) if dies else failing_call(n, CODES[n % len(CODES)])
        )
        ended = None
        with fault as injector:
            try:
                ended = batch.run(out, resume=False, smooth=False)
            except (Refusal, Died) as e:
                ended = str(e)
        with warnings.catch_warnings(action="ignore"):
            gc.collect()  # files that a dead process would not have closed either
        if not injector.failed_in:
            break
        seen.add(injector.failed_in)
        left = {k: v for k, v in files(out).items() if ".part." not in k} if out.exists() else {}
        torn = {k for k, v in left.items() if v not in (old.get(k), new.get(k)) and LITTER not in k}
        assert torn == set(), f"call {n}: {injector.failed_in}"
        assert dies or not [k for k in left if LITTER in k], f"litter after call {n}: {injector.failed_in}"
        assert old.keys() - left.keys() == set()
        assert ended != 0 or {k: v for k, v in left.items() if LITTER not in k} == new
        finish(batch, out)
        assert files(out) == new, f"call {n}: {injector.failed_in}"
    assert len(seen) > 1


@pytest.mark.parametrize("resume", [False, True])
def test_two_runs_without_locks_do_not_mix(batch: Batch, tmp_path: Path, resume: bool) -> None:
    """Row I06: the run that finds the manifest written by another one ends, the other one is whole."""
    assert batch.run(tmp_path / "new", resume=False) == 0
    out = tmp_path / "out"
    ends: list[int] = []
    with pytest.raises(CannotWriteError, match=f"output {out}: another run is writing there"):
        batch.run(out, resume=False, meanwhile=lambda: ends.append(batch.run(out, resume=resume)))
    assert ends == [0]
    assert files(out) == files(tmp_path / "new")
    assert batch.run(out, resume=True) == 0
