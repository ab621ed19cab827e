"""Result of a personalisation: what was measured of a new factor, and the decision: keep, discard, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.controllers.comparison import Comparison
from app.ui.personalize_result import Measure, ResultCard
from app.ui.window import Window
from personalize.client.task import PersonalizationTask
from personalize.client.verdict import verdict
from personalize.messages import Finished
from runtime.system.errors import Refusal
from runtime.system.notices import Level, Notice

TOPIC: Final = "personalise"


class PersonalizationResult:
    """Connects the result page with the X factor's place.

    Attributes:
        on_closed: called when the result was decided on and the page can go.
    """

    def __init__(self, window: Window, comparison: Comparison) -> None:
        self.on_closed: Callable[[], None] = lambda: None
        self._window, self._comparison = window, comparison
        self._page = window.personalise.result
        self._task: PersonalizationTask | None = None
        actions, page = window.actions_, self._page
        comparison.on_changed = self._on_trial
        page.kept.connect(self.keep)
        page.discarded.connect(self.discard)
        page.undone.connect(self.undo)
        page.closed.connect(self.close)
        page.compared.connect(lambda on: self._compare(on=on))
        actions["keep-factor"].triggered.connect(self.keep)
        actions["discard-factor"].triggered.connect(self.discard)
        actions["undo-factor"].triggered.connect(self.undo)
        actions["compare"].triggered.connect(lambda on: self._compare(on=on))
        self._show_actions()

    @property
    def kept(self) -> bool:
        """True when the result of the task is in the library."""
        return self._comparison.kept is not None

    def show(self, task: PersonalizationTask, done: Finished) -> str:
        """The result's page; an accepted factor is tried at once. The headline."""
        self._task = task
        found = verdict(done, task.job.name)
        self._page.show_card(
            ResultCard(
                headline=found.headline,
                reason=found.reason,
                measures=tuple(Measure(r.words, r.before, r.after) for r in found.rows),
                details=found.details,
                accepted=found.accepted,
                comparable=found.accepted,
                correctable=bool(task.silhouettes),
            )
        )
        self._window.personalise.show_page(self._page)
        if found.accepted:
            file = task.folder / done.path
            self._comparison.begin(file, done.sha256, task.job.name, self._on_refused)
        self._show_actions()
        return found.headline

    def keep(self) -> None:
        """Into the library."""
        task, comparison = self._task, self._comparison
        if task is None or comparison.trial is None or self.kept:
            return
        self._page.show_waiting("Putting it into the library…")
        face = task.thumbnail.thumbnail if task.thumbnail is not None else None
        comparison.keep(task.job.name, face, self._on_refused)

    def discard(self) -> None:
        """The old factor again, and the new one away."""
        if self._task is not None and not self.kept:
            self.withdraw()
            self.close()

    def undo(self) -> None:
        """The old factor again; the new one stays in the library."""
        kept = self._comparison.kept
        if kept is None:
            return
        name = kept.file.name
        where = "an earlier generation of its name" if kept.replaced else "in the library"
        self._comparison.undo(self._on_refused)
        self._page.show_undone(f"The factor before is in use again. The new {name} is {where}.")

    def withdraw(self) -> None:
        """Undecided: the old factor again, the result stays where it is."""
        if self._comparison.trial is not None and not self.kept:
            self._comparison.discard()

    def close(self) -> None:
        """Nothing is left to decide."""
        self._task = None
        self._comparison.close()
        self.on_closed()

    def _compare(self, *, on: bool) -> None:
        self._comparison.compare(on=on)
        self._on_trial()

    def _on_trial(self) -> None:
        """A new factor came into use, was kept, or went."""
        comparison = self._comparison
        if comparison.kept is not None:
            self._page.show_kept(
                f"Kept as {comparison.kept.file.name}. It is in the X-factor menu and in use."
            )
        self._page.show_compared(on=comparison.comparison)
        self._show_actions()

    def _on_refused(self, refusal: Refusal) -> None:
        self._window.banner.show_notice(Notice(str(refusal), Level.ERROR, topic=TOPIC))
        self._page.show_undecided(str(refusal))
        self._show_actions()

    def _show_actions(self) -> None:
        tried, kept = self._comparison.trial is not None, self.kept
        actions = self._window.actions_
        for name, on in (
            ("keep-factor", tried and not kept),
            ("discard-factor", tried and not kept),
            ("undo-factor", kept),
            ("compare", tried),
        ):
            actions[name].setEnabled(on)
        actions["compare"].setChecked(self._comparison.comparison)
