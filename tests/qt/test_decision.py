"""A decision that is made while a new factor still loads, or is put into the library."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from personalize.client import job_folders
from runtime.engine.engine import Engine
from runtime.library.factors import FactorLibrary, user_factors
from tests.qt.scripting import UP, begin, done, in_use, reaches
from tests.qt.test_gaps import settled

pytestmark = pytest.mark.gui


class Hold:
    """Calls of a method, each of which waits at its end until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
        self.calls: list[object] = []
        self.go = threading.Event()
        real = getattr(owner, name)

        def held(*args: object) -> object:
            self.calls.append(args)
            made = real(*args)
            self.go.wait(20)
            return made

        monkeypatch.setattr(owner, name, held)


@pytest.fixture
def loading(playing, worker, qtbot, monkeypatch) -> Hold:
    """A result whose factor is loading."""
    held = Hold(monkeypatch, Engine, "load_factor")
    worker([UP, *done(accepted=True)])
    begin(playing)
    reaches(playing, qtbot, "result")
    qtbot.waitUntil(lambda: len(held.calls) == 1)
    return held


def test_a_factor_discarded_before_it_is_loaded_never_comes_into_use(playing, loading, qtbot) -> None:
    engine = playing.workspace.engine
    playing.window.actions_["discard-factor"].trigger()
    loading.go.set()
    qtbot.waitUntil(lambda: settled(playing))
    assert playing.workspace.engine is engine
    assert (in_use(playing), playing.personalization.decision.trial) == ("own factor", None)
    qtbot.waitUntil(lambda: job_folders.left_over() == [])


def test_a_comparison_asked_for_while_it_loads_loads_it_once(playing, loading, qtbot) -> None:
    for _ in range(2):
        playing.window.actions_["compare"].trigger()
    loading.go.set()
    qtbot.waitUntil(lambda: in_use(playing) == "Ann" and settled(playing))
    assert len(loading.calls) == 1
    assert playing.personalization.decision.trial.before.name == "own factor"


def test_a_factor_is_kept_once_and_not_discarded_meanwhile(playing, loading, qtbot, monkeypatch) -> None:
    putting, actions = Hold(monkeypatch, FactorLibrary, "put"), playing.window.actions_
    loading.go.set()
    qtbot.waitUntil(lambda: in_use(playing) == "Ann")
    for name in ("keep-factor", "keep-factor", "discard-factor"):
        actions[name].trigger()
    assert in_use(playing) == "Ann"
    putting.go.set()
    qtbot.waitUntil(lambda: settled(playing) and playing.personalization.decision.kept)
    assert len(putting.calls) == 1
    assert not playing.personalization.decision.trial.replaced
    actions["undo-factor"].trigger()
    assert in_use(playing) == "own factor"
    assert [f.name for f in user_factors().factors()] == ["Ann"]


def test_what_broke_while_it_loaded_or_was_kept_can_be_tried_again(
    playing, loading, qtbot, monkeypatch
) -> None:
    def broken(*_: object) -> Path:
        raise ValueError("out of paper")

    banner, decision = playing.window.banner, playing.personalization.decision
    playing.window.actions_["compare"].trigger()
    decision.withdraw()
    decision.show(decision._task, playing.personalization._task.outcome.done)
    for owner, name, again in ((Engine, "load_factor", "compare"), (FactorLibrary, "put", "keep-factor")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, broken)
            playing.window.actions_[again].trigger()
            loading.go.set()
            words = "out of paper"
            qtbot.waitUntil(lambda w=words: banner.notice is not None and w in banner.notice.text)
            qtbot.waitUntil(lambda: decision._job is None)
        banner.dismiss()
        playing.window.actions_[again].trigger()
        qtbot.waitUntil(lambda: settled(playing) and decision.trial is not None)
    qtbot.waitUntil(lambda: decision.kept)
