"""Frame numbers: the table of what was measured in the frame on show."""

from __future__ import annotations

import numpy as np

from app.ui.numbers_dialog import NumbersDialog
from app.ui.translation import tr
from app.ui.window import Window
from app.workspace import Workspace
from models.results import Result
from runtime.frames import FrameResult
from runtime.movement.measures import angle_deg, angles_of
from runtime.movement.sightings import Landmarks, landmarks_of, sightings


class FrameNumbers:
    """Connects View → All numbers of the frame."""

    def __init__(self, window: Window, workspace: Workspace) -> None:
        self._window, self._workspace = window, workspace
        self._shown: FrameResult | None = None
        self.dialog: NumbersDialog | None = None
        window.actions_["numbers"].triggered.connect(self.open)

    def open(self) -> None:
        """Show the table."""
        self.dialog, self._shown = self.dialog or NumbersDialog(self._window), None
        self.dialog.show()
        self.dialog.raise_()
        self.refresh()

    def refresh(self) -> None:
        """Follow the picture while the table is seen; called ten times a second."""
        parsed, engine = self._window.canvas.parsed, self._workspace.engine
        if self.dialog is None or not self.dialog.isVisible():
            return
        if parsed is None:
            self.dialog.show_rows("", [])  # they were of a source that is closed
        if parsed is None or parsed is self._shown:
            return
        self._shown = parsed
        rows: list[list[str]] = []
        person, chosen = 0, self._window.display.style.person
        if parsed.result is not None and engine is not None:
            person, rows = table_of(parsed.result, landmarks_of(engine.spec), chosen)
        words = "Frame {number}, person {person}" if person else "Frame {number}"
        self.dialog.show_rows(tr(words).format(number=parsed.frame.index, person=person), rows)


def table_of(result: Result, landmarks: Landmarks, chosen: int = 0) -> tuple[int, list[list[str]]]:
    """The person, who is the chosen one or the first, and a row for each of their landmarks that is seen."""
    everybody = sightings(result, landmarks)
    person = chosen if chosen in everybody else next(iter(everybody), 0)
    places = everybody.get(person)
    if places is None:
        return person, []
    points, angles = places.points.astype(np.float64), {}
    for angle in angles_of(landmarks):
        value = float(angle_deg(points[angle.ends[0]], points[angle.at], points[angle.ends[1]]))
        angles[angle.at] = f"{value:.1f}" if np.isfinite(value) else ""
    rows = []
    for i in np.flatnonzero(np.isfinite(points[:, 0])):
        area = f"{places.areas[i]:.0f}" if i < landmarks.parts else ""
        numbers = (f"{100 * places.visibility[i]:.0f}", f"{points[i, 0]:.1f}", f"{points[i, 1]:.1f}")
        rows.append([tr(landmarks.words(int(i))), area, *numbers, angles.get(int(i), "")])
    return person, rows
