"""Folders of jobs: made for one user, found again, claimed by one worker, and deleted with their factor."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from personalize.client import job_folders
from personalize.job import PersonalizationJob, write_job
from runtime.library.factors import user_factors
from runtime.system import paths
from runtime.system.errors import Refusal


@pytest.fixture
def job(tmp_path: Path) -> PersonalizationJob:
    return PersonalizationJob(tmp_path / "a.mp4", "Ann", tmp_path)


def test_folders_are_private_listed_and_removed(job: PersonalizationJob) -> None:
    first, second = job_folders.new_folder("Ann & Bo/../x"), job_folders.new_folder("Ann & Bo/../x")
    assert first != second
    assert first.parent == job_folders.jobs_dir()
    assert first.stat().st_mode & 0o077 == 0
    assert job_folders.left_over() == []  # nothing was begun in them
    third = job_folders.new_folder("x")
    for folder in (first, second, third):
        write_job(folder, job)
    for folder in (second, third):
        (folder / job_folders.FACTOR).write_bytes(b"x")
    assert {x.finished for x in job_folders.left_over()} == {False}
    for folder in (first, second):
        (folder / job_folders.REPORT).write_text('{"frames": 301}')
    assert {x.folder: x.finished for x in job_folders.left_over()} == {
        first: False,
        second: True,
        third: False,
    }
    assert job_folders.remove_of("Bo") == 0
    assert job_folders.remove_of("Ann") == 3
    assert job_folders.left_over() == []
    job_folders.remove(first)  # gone already: nothing to say


def test_a_folder_is_named_by_time_and_name_and_follows_a_new_name(
    job: PersonalizationJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_folders.time, "strftime", lambda _: "now")
    folders = [job_folders.new_folder(name) for name in ("Ann & Bo", "Ann & Bo", "ä", 60 * "x", "Ann & Bo")]
    names = ["now Ann-Bo", "now Ann-Bo 2", "now", f"now {40 * 'x'}", "now Ann-Bo 3"]
    assert [f.name for f in folders] == names
    for folder in folders[:2]:
        write_job(folder, job)
    write_job(folders[2], replace(job, name="Bo"))
    assert [left.folder for left in job_folders.left_over()] == [folders[1], folders[0], folders[2]]
    job_folders.rename_of("Ann", "Cy")
    assert [left.job.name for left in job_folders.left_over()] == ["Cy", "Cy", "Bo"]


@pytest.mark.parametrize("text", ["[1]", "{", "[" * 99_999, '{"a": 1}' + " " * (1 << 20)])
def test_a_report_that_is_none_is_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / job_folders.REPORT).write_text(text)
    assert job_folders.read_report(tmp_path) == {}
    (tmp_path / job_folders.REPORT).write_text('{"a": 1}'.ljust(1 << 20))
    assert job_folders.read_report(tmp_path) == {"a": 1}


def test_a_folder_is_in_use_while_it_is_claimed_and_goes_when_it_is_left_empty(tmp_path: Path) -> None:
    assert not job_folders.in_use(tmp_path)
    with job_folders.claimed(tmp_path):
        assert job_folders.in_use(tmp_path)
    assert not job_folders.in_use(tmp_path)
    for name, left in (("new", False), ("full", True)):
        (tmp_path / name).mkdir()
        if left:
            (tmp_path / name / "file").touch()
        with pytest.raises(Refusal), job_folders.not_left_empty(tmp_path / name):
            raise Refusal("what", "why", "how")
        assert (tmp_path / name).exists() is left


def test_only_jobs_are_ever_removed(tmp_path: Path, job: PersonalizationJob) -> None:
    write_job(tmp_path / "mine", job)
    with pytest.raises(Refusal):
        job_folders.remove(tmp_path / "mine")
    outside = tmp_path / "outside"
    outside.mkdir()
    job_folders.new_folder("x")
    link = job_folders.jobs_dir() / "link"
    link.symlink_to(outside)
    with pytest.raises(Refusal):
        job_folders.remove(link)
    assert outside.is_dir()


def full(*_args: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_folder_that_cannot_be_made_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_folders.time, "strftime", lambda _: "now")
    place = f"job folder in {job_folders.jobs_dir()}"
    names = ("now x", *(f"now x {number}" for number in range(2, 1000)))
    for name in names:
        (job_folders.jobs_dir() / name).mkdir(parents=True)
    with pytest.raises(Refusal) as refused:
        job_folders.new_folder("x")
    assert str(refused.value) == f"{place}: there are too many. Remove old ones"
    (job_folders.jobs_dir() / "now x 999").rmdir()
    assert job_folders.new_folder("x").name == "now x 999"
    monkeypatch.setattr(job_folders, "make_private_dir", full)
    with pytest.raises(Refusal) as refused:
        job_folders.new_folder("y")
    assert str(refused.value) == (
        f"{place}: it cannot be made (No space left on device). Free space, or set XFACTOR_HOME"
    )


def test_a_folder_that_cannot_be_deleted_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = job_folders.new_folder("x")
    monkeypatch.setattr(shutil, "rmtree", full)
    with pytest.raises(Refusal) as refused:
        job_folders.remove(folder)
    assert str(refused.value) == (
        f"job folder {folder}: it cannot be deleted (No space left on device)."
        " Delete it by hand: it shows a person"
    )
    with job_folders.claimed(folder), pytest.raises(Refusal) as refused:
        job_folders.remove(folder)
    assert str(refused.value) == (
        f"job {folder.name}: another window or command works on it. Wait until it has ended"
    )


def test_a_folder_goes_when_nothing_writes_to_it_any_more(tmp_path: Path) -> None:
    folder, refused, free = job_folders.new_folder("x"), [], threading.Event()
    busy = threading.Thread(target=free.wait)
    busy.start()
    removing = job_folders.remove_after(folder, [busy], refused.append)
    removing.join(0.1)
    assert (removing.is_alive(), folder.exists(), removing.daemon) == (True, True, True)
    free.set()
    removing.join(10)
    busy.join(10)
    assert (folder.exists(), refused) == (False, [])
    job_folders.remove_after(tmp_path, [], refused.append).join(10)
    assert [str(r) for r in refused] == [
        f"folder {tmp_path.name}: it is not a job of this program. Delete it by hand"
    ]
    assert tmp_path.exists()


def test_a_factor_goes_with_the_folders_that_show_its_person(job: PersonalizationJob) -> None:
    folder = paths.models_dir() / "factored-s31"
    mine, other = job_folders.new_folder("Ann"), job_folders.new_folder("Bo")
    write_job(mine, job)
    write_job(other, replace(job, name="Bo"))
    with pytest.raises(Refusal):
        job_folders.delete_factor("Ann")
    assert mine.exists()
    user_factors().add(folder / "factor.onnx", (folder / "trunk.onnx").read_bytes(), "Ann")
    job_folders.delete_factor("Ann")
    assert (mine.exists(), other.exists(), user_factors().factors()) == (False, True, [])
