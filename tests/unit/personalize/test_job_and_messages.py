"""What goes into the worker and what comes out, as text that others read too."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.job import FILE, METHODS, Correction, PersonalizationJob, PersonChoice, read_job, write_job
from personalize.messages import (
    Cancelled,
    Failure,
    Finished,
    FrameSilhouette,
    PhaseProgress,
    WorkerNotice,
    decode,
    encode,
)
from runtime.system.errors import Refusal

NUMBERS = st.floats(-1e6, 1e6)
STROKES = st.builds(
    Correction,
    st.integers(0, 10**6),
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=4).map(tuple),
    st.floats(0.5, 500),
    st.booleans(),
)
JOBS = st.builds(
    PersonalizationJob,
    clip=st.just(Path("/a/clip of a dänce.mp4")),
    name=st.text(min_size=1, max_size=12),
    model=st.just(Path("/m")),
    first=st.integers(0, 1000),
    last=st.none() | st.integers(0, 1000),
    around=st.none() | st.integers(0, 1000),
    method=st.sampled_from(METHODS),
    base_factor=st.none() | st.just(Path("/b.factor.onnx")),
    strokes=st.lists(STROKES, max_size=3).map(tuple),
    person=st.none()
    | st.just(PersonChoice())
    | st.builds(PersonChoice, st.tuples(NUMBERS, NUMBERS), st.none() | st.integers(0, 10**6)),
    seed=st.integers(0, 99),
    limit_s=st.floats(1, 1e4),
)


@settings(max_examples=20)
@given(JOBS)
def test_a_job_comes_back_as_it_was(tmp_path_factory, job):
    folder = tmp_path_factory.mktemp("job")
    write_job(folder, job)
    assert read_job(folder) == job


def test_a_job_of_an_earlier_version_learns_everybody(tmp_path):
    write_job(tmp_path, PersonalizationJob(Path("clip.mp4"), "ann", Path("model")))
    raw = json.loads((tmp_path / FILE).read_text())
    del raw["person"]
    (tmp_path / FILE).write_text(json.dumps(raw))
    assert read_job(tmp_path).person is None


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("auto", PersonChoice()),
        ("320,180", PersonChoice((320, 180))),
        (" 12.5 , 7@0", PersonChoice((12.5, 7), 0)),
        ("0,0@41", PersonChoice((0, 0), 41)),
    ],
)
def test_a_person_as_it_is_typed(text, choice):
    assert PersonChoice.parse(text) == choice


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (PersonChoice(), "the largest person who moves"),
        (PersonChoice((319.6, 180.4)), "person at 320,180"),
        (PersonChoice((1, 2), 0), "person at 1,2 in frame 0"),
    ],
)
def test_a_person_as_it_is_shown(choice, words):
    assert str(choice) == words


@pytest.mark.parametrize(
    "text", ["", "me", "1", "1,2,3", "-1,2", "1,2@", "1,2@-3", "1,2@x", "nan,1", "auto@3"]
)
def test_an_impossible_person_is_refused_in_words(text):
    with pytest.raises(ValueError, match=r"--person takes X,Y or X,Y@FRAME .* or auto"):
        PersonChoice.parse(text)


def test_what_is_refused_is_shown_but_not_whole():
    with pytest.raises(ValueError, match=f"not '{'x' * 40}'$"):
        PersonChoice.parse("x" * 41)


def test_a_job_of_which_nothing_more_is_said_learns_everybody_in_the_middle_within_twenty_minutes():
    plain = PersonalizationJob(Path("clip.mp4"), "ann", Path("model"))
    assert (plain.first, plain.last, plain.around) == (0, None, None)
    assert (plain.method, plain.base_factor, plain.strokes, plain.person) == ("tree", None, (), None)
    assert (plain.seed, plain.limit_s) == (0, 1200)


@pytest.mark.parametrize(
    "person",
    [{"at": [1, 2]}, {"at": None, "frame": 3}, {"at": [1], "frame": 0}, {"at": [1, 2], "frame": -1},
     {"at": [1, True], "frame": 0}, {"at": [1, 2], "frame": 0, "z": 1}, "auto"],
)  # fmt: skip
def test_a_damaged_person_is_refused(tmp_path, person):
    write_job(tmp_path, PersonalizationJob(Path("clip.mp4"), "ann", Path("model")))
    raw = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**raw, "person": person}))
    with pytest.raises(Refusal, match="it is not a job"):
        read_job(tmp_path)


def test_a_job_is_for_its_user_alone(tmp_path):
    folder = tmp_path / "new"
    write_job(folder, PersonalizationJob(Path("clip.mp4"), "ann", Path("model")))
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert read_job(folder).clip == Path.cwd() / "clip.mp4"


def rubbish():
    good = {"format": 1, "clip": "/c", "name": "n", "model": "/m", "first": 0, "last": None, "around": None}
    good |= {"method": "tree", "base_factor": None, "strokes": [], "seed": 0, "limit_s": 60}
    stroke = {"frame": 0, "points": [[1, 2]], "radius": 3, "person": True}
    yield from (b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000)
    for change in (
        {"method": "magic"}, {"limit_s": 0}, {"limit_s": float("nan")}, {"seed": "0"}, {"last": True},
        {"clip": 3}, {"strokes": {}, "extra": 1}, {"format": 2}, {"around": 1.5},
        {"strokes": [{**stroke, "points": []}]}, {"strokes": [{**stroke, "radius": 0}]},
        {"strokes": [{**stroke, "frame": -1}]}, {"limit_s": True},
        {"strokes": [{**stroke, "points": [[1]]}]}, {"strokes": [{**stroke, "person": 1}]},
        {"strokes": [{}]}, {"strokes": None},
    ):  # fmt: skip
        yield json.dumps(good | change).encode()
    yield json.dumps({k: v for k, v in good.items() if k != "clip"}).encode()


@pytest.mark.parametrize("data", list(rubbish()))
def test_rubbish_is_refused_in_words(tmp_path, data):
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(Refusal, match="Start the personalisation again"):
        read_job(tmp_path)


def test_no_job_and_no_room_are_refused_in_words(tmp_path):
    with pytest.raises(Refusal, match="cannot be read"):
        read_job(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="cannot be written"):
        write_job(tmp_path / "file", PersonalizationJob(Path("c"), "n", Path("m")))
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "event",
    [
        PhaseProgress("links", 3, 300, 12.5),
        PhaseProgress("reading", 0, 1),
        FrameSilhouette(7, "/job/silhouettes/000007.png"),
        WorkerNotice("Größe"),
        Finished(
            "/job/ann.factor.onnx", "ab" * 32, accepted=True, report={"frames": 301, "window": [0, 300]}
        ),
        Failure("clip.mp4", "no person is found", "Choose another range"),
        Cancelled(),
    ],
)
def test_events_come_back_as_they_were(event):
    line = encode(event)
    assert "\n" not in line
    assert decode(line) == event
    assert decode(line + "\n") == event


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "{",
        "[]",
        "3",
        "null",
        '{"event": "Dance"}',
        '{"event": "Silhouette"}',
        '{"event": []}',
        "[" * 9999,
    ],
)
def test_what_is_no_event_is_ignored(line):
    assert decode(line) is None


def test_a_newer_workers_fields_are_ignored():
    assert decode('{"event": "Notice", "text": "x", "colour": "red"}') == WorkerNotice("x")


def test_what_is_wrong_with_a_job_is_said_in_eighty_letters(tmp_path):
    write_job(tmp_path, PersonalizationJob(Path("clip.mp4"), "ann", Path("model")))
    raw = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**raw, "b": 1, "a" * 90: 2}))
    with pytest.raises(Refusal) as refused:
        read_job(tmp_path)
    assert (refused.value.what, refused.value.reason) == (
        f"job {tmp_path / FILE}",
        f"it is not a job (unknown: {'a' * 71})",
    )
