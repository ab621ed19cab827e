"""People: who is chosen, followed, hidden or shown alone, and whether they are still there."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtGui import QColor

from app.controllers.highlight import Highlight, people_in
from app.ui.window import Window
from models.results import PersonResult
from personalize.chosen_person import middle_of, person_at
from personalize.job import PersonChoice
from runtime.frames import FrameResult
from runtime.output.composition import shown_people
from runtime.output.instances import instances, people_at
from runtime.output.palettes import person_colour
from runtime.system.notices import Level, Notice

PATIENCE_S = 2.0  # of the clip, for which somebody may be unseen and still be the one that is followed
WORDS_MS = 6000


class PeopleActions:
    """Connects clicks on people, the menu People, its bar and the legend with the display style."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._numbers: tuple[int, ...] = ()
        self._of = 0, 0  # source and engine of the people on show
        self._seen_s = 0.0  # when the chosen person was last seen, in the time of the clip
        self._highlight = Highlight(window.canvas)
        setup = window.personalise.setup
        setup.asked.connect(self._ask)
        setup.changed.connect(self._show_highlight)
        window.picking_changed.connect(self._show_highlight)
        window.canvas.painted.connect(self._on_painted)
        window.canvas.clicked.connect(self._choose_at)
        window.display.changed.connect(self._refresh)
        window.escaped.connect(self.release)
        actions = window.actions_
        actions["next-person"].triggered.connect(lambda: self._choose_next(1))
        actions["previous-person"].triggered.connect(lambda: self._choose_next(-1))
        actions["hide-person"].triggered.connect(self._hide)
        actions["learn-person"].triggered.connect(self._personalise)
        actions["show-people"].triggered.connect(lambda: self._show(alone=False, hidden_people=frozenset()))
        for name, field in (("follow-person", "follow"), ("keep-person", "alone"), ("boxes", "boxes")):
            actions[name].triggered.connect(lambda on, f=field: self._show(**{f: on}))
        self._refresh()

    def release(self) -> None:
        """Nobody is followed, shown alone or chosen; who was hidden stays hidden."""
        self._show(person=0, follow=False, alone=False)

    def _choose(self, number: int) -> None:
        if number:
            self._show(person=number)
        else:
            self.release()

    def _hide(self) -> None:
        style = self._window.display.style
        hidden = style.hidden_people | {style.person}
        self._show(person=0, follow=False, alone=False, hidden_people=hidden)

    def _choose_at(self, x: float, y: float) -> None:
        """Choose who is at a point; of several people one over another the next one at each click."""
        parsed, style = self._window.canvas.parsed, self._window.display.style
        if parsed is not None and parsed.result is not None and self._numbers:
            hits = people_at(shown_people(parsed.result, style), x, y, parsed.frame.size)
            after = hits[hits.index(style.person) + 1 :] if style.person in hits else []
            self._choose(next(iter(after or hits), 0))

    def _choose_next(self, step: int) -> None:
        style = self._window.display.style
        shown = sorted(n for n in self._numbers if n and n not in style.hidden_people)
        if shown:
            at = shown.index(style.person) + step if style.person in shown else min(0, step)
            self._choose(shown[at % len(shown)])

    def _ask(self) -> None:
        """Let the next click say whom to learn."""
        self._window.ask_click("Click the person in the picture (Esc: nobody)", self._learn_at)

    def _learn_at(self, parsed: FrameResult, x: float, y: float) -> None:
        """Learn who is at a point; where nobody is, highlight the people it could mean, and ask again."""
        window, setup, (width, height) = self._window, self._window.personalise.setup, parsed.frame.size
        found = people_in(parsed.result)
        hit = person_at([mask for _, mask in found], x / width, y / height)
        if hit is None:
            words = f"Nobody is found there{'; click one of those highlighted' * bool(found)}."
            window.banner.show_notice(Notice(words, Level.WARNING, topic="person"))
            self._ask()
            self._highlight.begin(None, lambda: window.asks_for(self._learn_at))
        else:
            choice = PersonChoice((x, y), parsed.frame.index)
            setup.show_person(choice)
            self._highlight.begin(found[hit], lambda: setup.isVisible() and setup.person == choice)
        self._highlight.show(parsed.result)

    def _show_highlight(self) -> None:
        """Highlight as long as it matters; a click is awaited no longer than the form is open."""
        window = self._window
        if not window.personalise.setup.isVisible() and window.asks_for(self._learn_at):
            window.stop_picking()
        self._highlight.show(window.canvas.parsed.result if window.canvas.parsed is not None else None)

    def _personalise(self) -> None:
        """Open the form for the person who is chosen."""
        window, parsed, number = self._window, self._window.canvas.parsed, self._window.display.style.person
        people = parsed.result.people if parsed is not None and parsed.result is not None else ()
        person = next((i.person for i in instances(people) if i.number == number), None)
        if parsed is not None and person is not None:
            if not window.actions_["personalise"].isChecked():
                window.actions_["personalise"].trigger()
            at = _point_on(person, parsed.frame.size)
            window.personalise.setup.show_person(PersonChoice(at, parsed.frame.index))

    def _on_painted(self) -> None:
        """Follow the people of a new frame; who has not been seen for a while is let go."""
        parsed, style = self._window.canvas.parsed, self._window.display.style
        self._show_highlight()
        if parsed is None:
            return
        people = parsed.result.people if parsed.result is not None else ()
        before, self._numbers = self._numbers, tuple(i.number for i in instances(people))
        of, now_s = (parsed.frame.source, parsed.engine_id), parsed.frame.pts_s
        if of != self._of:  # numbers of another clip, or of another model
            self._of = of
            self._show(person=0, follow=False, alone=False, hidden_people=frozenset())
        elif not style.person or style.person in self._numbers:
            self._seen_s = now_s
        elif abs(now_s - self._seen_s) > PATIENCE_S:
            self.release()
            words = f"Person {style.person} is gone; everyone is shown again"
            self._window.status.showMessage(words, WORDS_MS)
        if self._numbers != before:
            self._refresh()

    def _show(self, **fields: object) -> None:
        display = self._window.display
        display.show(replace(display.style, **fields))  # type: ignore[arg-type]

    def _refresh(self) -> None:
        """Bring menu, bar and legend up to date."""
        window, style = self._window, self._window.display.style
        actions, person, hidden = window.actions_, style.person, len(style.hidden_people)
        for names, on in (
            (("next-person", "previous-person"), any(self._numbers)),
            (("follow-person", "hide-person", "keep-person", "learn-person"), person > 0),
            (("show-people",), hidden > 0 or style.alone),
        ):
            for name in names:
                actions[name].setEnabled(on)
        for name, on in (
            ("follow-person", style.follow),
            ("keep-person", style.alone),
            ("boxes", style.boxes),
        ):
            actions[name].setChecked(on)
        words = f"Person {person}" if person else f"{hidden} hidden" if hidden else ""
        colour = QColor(*person_colour(person, colour_blind=style.colour_blind))
        window.people_bar.show_person(words, colour)
        listed = {n for n in (*self._numbers, *style.hidden_people, person) if n}
        window.controls.show_people(tuple(sorted(listed)))


def _point_on(person: PersonResult, size: tuple[int, int]) -> tuple[float, float]:
    """Pixel of a person next to the middle of their mask: at that of their box somebody else may stand."""
    if person.mask is None or not person.mask.any():
        return person.box[0] + person.box[2] / 2, person.box[1] + person.box[3] / 2
    return middle_of(person.mask, size)
