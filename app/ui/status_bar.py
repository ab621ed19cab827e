"""Status bar: source, what lies under the cursor, and the numbers of the moment."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QMenu, QStatusBar, QToolButton, QWidget

from app.ui import theme
from app.ui.hud import LiveMetrics
from app.ui.timeline import timecode
from app.ui.translation import tr
from app.ui.widgets import plain

LONGEST_NAME = 48
LEAST_CHIP_PX = 80
LONGEST_CHIP = 26  # characters of a model or factor


class StatusBar(QStatusBar):
    """One row; every field is set from outside and knows nothing else."""

    def __init__(self, menus: dict[str, QMenu], parent: QWidget | None = None) -> None:
        """`menus`: those of the menu bar, which the chips open."""
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._source = self._field()
        self._under = self._field(stretch=1)
        self._model = self._chip(menus["Model"], "Another model")
        self._xfactor = self._chip(menus["X factor"], "Where the silhouette comes from")
        self._hidden = self._field(right=True, name="hidden-parts", tip="Ctrl+A shows all parts")
        tip = "Share of the joints that lie in their body parts; the others have a square around them"
        self._in_parts = self._field(right=True, tip=tip)
        self._recording = self._field(name="recording", right=True)
        self._camera = self._field(name="camera", right=True)
        self._fps = self._field(right=True, tip="Results per second")
        self._age = self._field(
            right=True, tip="Age of the picture on show, from leaving the source to being painted"
        )
        self._dropped = self._field(
            right=True, tip="Frames overtaken by newer ones: nothing waits in a queue"
        )
        self._badge = self._field(name="badge", right=True, tip="The hardware that really runs the network")
        self._badge.hide()

    def show_source(self, name: str) -> None:
        """Show the name of the source."""
        self._source.setText(_short(name))

    def show_engine(self, model: str, xfactor: str, *, own: bool) -> None:
        """Show what parses, and what stands in the X factor's place; marked where it is not the model's."""
        for chip, title, name in ((self._model, "Model", model), (self._xfactor, "X factor", xfactor)):
            short = name if len(name) <= LONGEST_CHIP else name[: LONGEST_CHIP - 1] + "…"
            chip.setText(f"{tr(title)}: {tr(short).replace('&', '&&')} ▾")
            chip.setVisible(bool(name))
        self._xfactor.setProperty("own", own)
        theme.polish(self._xfactor)

    def showMessage(self, message: str | None, msecs: int = 0) -> None:
        """Show words for a while, in the language of the window."""
        super().showMessage(tr(message or ""), msecs)

    def show_hidden(self, shown: int, parts: int) -> None:
        """Show how many parts are painted, if not all."""
        words = tr("{shown} of {parts} parts shown").format(shown=shown, parts=parts)
        self._hidden.setText(words if shown < parts else "")

    def show_under(self, words: str) -> None:
        """Show the part under the cursor."""
        self._under.setText(words)

    def show_metrics(self, vitals: LiveMetrics | None, opening: str = "") -> None:
        """The numbers of the moment; None when nothing is on show. In their place the source that opens."""
        vitals = None if opening else vitals
        words = tr("Opening {name}…").format(name=_short(opening)) if opening else ""
        self._fps.setText(vitals.pace if vitals else words)
        moving = vitals is not None and not vitals.rests
        self._age.setText(tr("{age} ms old").format(age=round(vitals.age_ms)) if vitals and moving else "")
        self._dropped.setText(
            tr("{count} overtaken").format(count=vitals.dropped) if vitals and moving else ""
        )
        share = vitals.in_parts if vitals else None
        words = tr("joints in their parts {percent} %")
        self._in_parts.setText(words.format(percent=round(share * 100)) if share is not None else "")
        self._badge.setVisible(bool(vitals and vitals.provider))
        self._badge.setText(vitals.provider if vitals else "")

    def show_camera(self, *, on: bool) -> None:
        """Show whether a camera's device is open."""
        self._camera.setText(tr("● camera on") if on else "")

    def show_recording(self, seconds: float | None, dropped: int = 0) -> None:
        """Show for how long a file has been written; None when none is open."""
        lost = tr(", {count} left out").format(count=dropped) if dropped else ""
        text = "" if seconds is None else f"● REC {timecode(round(seconds * 10), 10)[:-2]}{lost}"
        self._recording.setText(text)

    def _chip(self, menu: QMenu, tip: str) -> QToolButton:
        chip = QToolButton()
        chip.setObjectName("chip")
        chip.setToolTip(tr(tip))
        chip.setMenu(menu)
        chip.setMinimumWidth(LEAST_CHIP_PX)  # a long name must not make the window wider
        chip.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addPermanentWidget(chip)
        return chip

    def _field(self, *, stretch: int = 0, name: str = "", right: bool = False, tip: str = "") -> QLabel:
        label = plain("")
        label.setObjectName(name)
        label.setToolTip(tr(tip))
        if right:
            self.addPermanentWidget(label)
        else:
            self.addWidget(label, stretch)
        return label


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else "…" + name[-LONGEST_NAME + 1 :]
