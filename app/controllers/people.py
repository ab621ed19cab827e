"""People: who is chosen, followed, hidden or shown alone, and whether they are still there."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtGui import QColor

from app.ui.instances import shown_people
from app.ui.window import Window
from runtime.frames import FrameResult
from runtime.output.instances import people_at
from runtime.output.palettes import person_colour, person_numbers

PATIENCE_S = 2.0  # of the clip, for which somebody may be unseen and still be the one that is followed
WORDS_MS = 6000


class PeopleActions:
    """Connects clicks on people, the menu People, its bar and the legend with the display style."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._numbers: tuple[int, ...] = ()
        self._of = 0, 0  # source and engine of the people on show
        self._seen_s = 0.0  # when the chosen person was last seen, in the time of the clip
        canvas, actions = window.canvas, window.actions_
        canvas.painted.connect(self._on_painted)
        canvas.clicked.connect(self._choose_at)
        window.display.changed.connect(self._refresh)
        window.escaped.connect(self.release)
        actions["next-person"].triggered.connect(lambda: self._choose_next(1))
        actions["previous-person"].triggered.connect(lambda: self._choose_next(-1))
        actions["follow-person"].triggered.connect(lambda on: self._change(follow=on))
        actions["keep-person"].triggered.connect(lambda on: self._change(alone=on))
        actions["hide-person"].triggered.connect(self._hide)
        actions["show-people"].triggered.connect(self.show_everyone)
        actions["boxes"].triggered.connect(lambda on: self._change(boxes=on))
        self._refresh()

    def choose(self, number: int) -> None:
        """Choose a person by number; 0 for nobody."""
        parsed = self._window.canvas.parsed
        self._seen_s = parsed.frame.pts_s if parsed is not None else 0.0
        if number:
            self._change(person=number)
        else:
            self._change(person=0, follow=False, alone=False)

    def release(self) -> None:
        """Nobody is followed, shown alone or chosen; who was hidden stays hidden."""
        self.choose(0)

    def show_everyone(self) -> None:
        """Bring back whoever is hidden; a person who is followed stays followed."""
        self._change(alone=False, hidden_people=frozenset())

    def _hide(self) -> None:
        style = self._window.display.style
        hidden = style.hidden_people | {style.person}
        self._change(person=0, follow=False, alone=False, hidden_people=hidden)

    def _choose_at(self, x: float, y: float) -> None:
        """Choose who is at a point; of several people one over another the next one at each click."""
        parsed, style = self._window.canvas.parsed, self._window.display.style
        if parsed is None or parsed.result is None or not self._numbers:
            return
        hits = people_at(shown_people(parsed.result, style), x, y, parsed.frame.size)
        following = hits[hits.index(style.person) + 1 :] if style.person in hits else []
        self.choose(next(iter(following or hits), 0))

    def _choose_next(self, step: int) -> None:
        style = self._window.display.style
        shown = sorted(n for n in self._numbers if n and n not in style.hidden_people)
        if not shown:
            return
        at = shown.index(style.person) + step if style.person in shown else (0 if step > 0 else -1)
        self.choose(shown[at % len(shown)])

    def _on_painted(self) -> None:
        parsed = self._window.canvas.parsed
        if parsed is None:
            return
        people = parsed.result.people if parsed.result is not None else ()
        numbers, of = person_numbers(people), (parsed.frame.source, parsed.engine_id)
        if of != self._of:
            self._of, self._numbers = of, ()
            style = self._window.display.style
            if style.person or style.hidden_people:  # numbers of another clip, or of another model
                self._change(person=0, follow=False, alone=False, hidden_people=frozenset())
        if numbers != self._numbers:
            self._numbers = numbers
            self._refresh()
        self._check_seen(parsed)

    def _check_seen(self, parsed: FrameResult) -> None:
        """Fall back to everybody when the chosen person has not been seen for a while."""
        person, now_s = self._window.display.style.person, parsed.frame.pts_s
        if not person or person in self._numbers:
            self._seen_s = now_s
        elif abs(now_s - self._seen_s) > PATIENCE_S:
            self.release()
            self._window.status.showMessage(f"Person {person} is gone; everyone is shown again", WORDS_MS)

    def _change(self, **fields: object) -> None:
        display = self._window.display
        display.show(replace(display.style, **fields))  # type: ignore[arg-type]

    def _refresh(self) -> None:
        """Bring menu, bar and legend up to date."""
        window, style = self._window, self._window.display.style
        actions, person = window.actions_, style.person
        anybody = any(self._numbers)
        for name in ("next-person", "previous-person"):
            actions[name].setEnabled(anybody)
        for name in ("follow-person", "hide-person", "keep-person"):
            actions[name].setEnabled(bool(person))
        hides = bool(style.hidden_people or style.alone)
        actions["show-people"].setEnabled(hides)
        for name, on in (
            ("follow-person", style.follow),
            ("keep-person", style.alone),
            ("boxes", style.boxes),
        ):
            actions[name].setChecked(on)
        hidden = len(style.hidden_people)
        words = f"Person {person}" if person else f"{hidden} hidden" if hidden else ""
        colour = QColor(*person_colour(person, colour_blind=style.colour_blind)) if person else None
        window.people_bar.show_person(words, colour)
        listed = {n for n in (*self._numbers, *style.hidden_people, person) if n}
        window.controls.show_people(tuple(sorted(listed)))
