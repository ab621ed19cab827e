"""People as a silhouette: everybody, one of them, and nobody, found by a drawn network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import Letterbox, NetworkSize
from runtime.engine.source import HOLD_S, Held, Request, Silhouette
from runtime.frames import Frame
from runtime.silhouettes import people as module
from runtime.silhouettes.people import PeopleSilhouette, people_number
from runtime.system.errors import Refusal
from tests import drawn_people

ONE_PERSON, TWO_PEOPLE, NOBODY = range(3)


@pytest.fixture
def finder(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Of the drawn network, which is also the one that a model without people takes."""
    monkeypatch.setattr(module, "NETWORK", str(drawn))
    return load_engine(drawn, device="cpu")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_people.bundle(tmp_path_factory.mktemp("drawn") / "drawn")


def request(scene: int, index: int = 0, pts_s: float | None = None) -> Request:
    frame = Frame(drawn_people.picture(scene), index, index / 25 if pts_s is None else pts_s, 0.0)
    box = Letterbox.fit(frame.size, NetworkSize(drawn_people.SIDE))
    return Request(frame, box, box.apply(frame.image), {})


def shares(found: Silhouette) -> tuple[bool, bool]:
    """Whether the left and the right person of the second scene are in the silhouette."""
    assert found.grid is not None
    half = found.grid.shape[1] // 2
    return bool(found.grid[:, :half].max() > 0.5), bool(found.grid[:, half:].max() > 0.5)


def test_everybody_and_nobody(finder: Engine) -> None:
    source = PeopleSilhouette(finder)
    assert shares(source.person(request(TWO_PEOPLE))) == (True, True)
    nobody = source.person(request(NOBODY, 1))
    assert (shares(nobody), nobody.notice) == ((False, False), "")
    assert {s.name for s in source.sessions} == {"network"}


@pytest.mark.parametrize(("at", "sides"), [((55, 100), (True, False)), ((200, 140), (False, True))])
def test_whoever_was_picked_stays_alone(
    finder: Engine, at: tuple[float, float], sides: tuple[bool, bool]
) -> None:
    source = PeopleSilhouette(finder, at=at)
    for i in range(4):
        assert shares(source.person(request(TWO_PEOPLE, i))) == sides
    assert source.name == "one person"
    everybody = source.everybody()
    assert everybody.name == "people"
    assert shares(everybody.person(request(TWO_PEOPLE, 4))) == (True, True)
    assert everybody.everybody() is None


def test_somebody_lost_is_held_then_blank_with_a_notice(finder: Engine) -> None:
    source = Held(PeopleSilhouette(finder, number=1))
    found = source.person(request(TWO_PEOPLE))
    assert sum(shares(found)) == 1
    held = source.person(request(NOBODY, 1))
    assert shares(held) == shares(found)
    assert held.notice == "person 1: not found; showing the last mask"
    gone = source.person(request(NOBODY, 40, HOLD_S + 0.5))
    assert (shares(gone), gone.notice) == ((False, False), "person 1: not found; nothing is shown")
    source.reset()
    assert shares(source.person(request(TWO_PEOPLE, 50))) == shares(found)


def test_numbers_are_those_of_results(finder: Engine) -> None:
    frame = request(TWO_PEOPLE)
    masks = [np.asarray(p.mask) for p in finder.parse(frame.frame).people]
    for number, mask in enumerate(masks, start=1):
        alone = PeopleSilhouette(finder, number=number).person(frame)
        assert alone.fine is not None
        assert np.array_equal(alone.fine > 0, mask > 0)


@pytest.mark.parametrize("word", ["people:", "people:0", "people:x", "people:-1", "people:²"])
def test_a_word_that_is_no_number_is_refused(word: str) -> None:
    with pytest.raises(Refusal, match="person's number"):
        people_number(word)


def test_words_of_the_command() -> None:
    assert [people_number(w) for w in ("", "alice", "people", "people:12")] == [None, None, 0, 12]


def test_a_network_of_joints_alone_takes_no_silhouette(finder: Engine) -> None:
    with pytest.raises(Refusal, match="no body parts"):
        finder.with_factor(PeopleSilhouette(finder))
