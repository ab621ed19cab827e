"""People in the window: a click chooses, menu and keys follow, hide and keep; results made by hand."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QPointF, Qt

from app.controllers.people import PATIENCE_S
from app.desktop import Desktop
from export.write import describe
from models.families import ZOO
from models.labels import COCO17
from models.network import build
from models.results import PersonResult, Pose, Result
from runtime.frames import FrameResult
from runtime.output.style import ViewMode
from runtime.system.files import write_folder
from tests.networks import stage_bytes

pytestmark = pytest.mark.gui
SIZE = (160, 90)  # of the clip


def person(left: int, track: int | None, *, masked: bool = True) -> PersonResult:
    """Somebody 20 px wide and 60 high, by the mask a little narrower."""
    mask = np.zeros((45, 80), np.uint8)
    mask[10:40, left // 2 + 1 : left // 2 + 9] = 1
    return PersonResult((left, 20, 20, 60), 0.8, None, mask if masked else None, track)


class Shown:
    """A window with people of our own in it."""

    def __init__(self, desktop: Desktop, qtbot) -> None:
        self.desktop, self.window, self._qtbot = desktop, desktop.window, qtbot
        self.canvas, self.actions = desktop.window.canvas, desktop.window.actions_
        self.of = replace(self.canvas.parsed, result=None)
        desktop.pipeline.parsed.take(0)

    def people(self, *people: PersonResult, pts_s: float = 0.0, source: int | None = None) -> None:
        source = self.of.frame.source if source is None else source
        frame = replace(self.of.frame, pts_s=pts_s, source=source)
        self.show(replace(self.of, frame=frame, result=Result(people=people)))

    def show(self, parsed: FrameResult) -> None:
        """What later clicks are in."""
        self.mine = parsed
        with self._qtbot.waitSignal(self.canvas.painted):
            self.canvas.show_parsed(parsed)

    def click(self, x: float, y: float) -> None:
        if self.canvas.parsed is not self.mine:  # the engine has shown its own result meanwhile
            self.canvas.show_parsed(self.mine)
        area = self.canvas._area()
        at = QPointF(area.left() + x / SIZE[0] * area.width(), area.top() + y / SIZE[1] * area.height())
        self._qtbot.mouseClick(self.canvas, Qt.MouseButton.LeftButton, pos=at.toPoint())

    @property
    def style(self):
        return self.window.display.style


@pytest.fixture
def shown(playing, qtbot) -> Shown:
    made = Shown(playing, qtbot)
    made.window.display.choose_view(ViewMode.INSTANCES)
    made.people(person(10, 1), person(100, 2), person(130, 3, masked=False))
    return made


def rows(shown: Shown) -> list[str]:
    heading = shown.window.controls.legend.topLevelItem(0)
    return [heading.child(i).text(0) for i in range(heading.childCount())]


def test_a_click_chooses_by_mask_then_by_box(shown: Shown) -> None:
    for x, y, number in ((20, 50, 1), (110, 50, 2), (111, 78, 2), (132, 22, 3), (80, 50, 0)):
        shown.click(x, y)
        assert shown.style.person == number, (x, y)
        assert shown.window.people_bar.isVisible() == (number > 0)
    shown.canvas.zoom(4, QPointF(0, 0))
    shown.click(20, 45)
    assert shown.style.person == 1, "zoomed in"
    shown.canvas.fit()
    shown.window.display.mirror(on=True)
    shown.click(SIZE[0] - 110, 50)
    assert shown.style.person == 2, "in a mirror"


def test_a_drag_is_no_click(shown: Shown, qtbot) -> None:
    shown.canvas.zoom(3)
    middle = shown.canvas.rect().center()
    qtbot.mousePress(shown.canvas, Qt.MouseButton.LeftButton, pos=middle)
    before = shown.canvas._area().left()
    for step in (10, 20, 40):
        qtbot.mouseMove(shown.canvas, middle + type(middle)(step, 0))
    qtbot.mouseRelease(shown.canvas, Qt.MouseButton.LeftButton, pos=middle)
    assert shown.canvas._area().left() > before
    assert shown.style.person == 0


def test_every_action_has_a_menu_entry_and_a_key(shown: Shown) -> None:
    entries = [a for a in shown.actions.menus["people"].actions() if not a.isSeparator()]
    assert len(entries) == 8
    assert all(not a.shortcut().isEmpty() and a.toolTip() for a in entries)
    for name, number in (
        ("next-person", 1),
        ("next-person", 2),
        ("previous-person", 1),
        ("previous-person", 3),
    ):
        shown.actions[name].trigger()
        assert shown.style.person == number


def test_following_keeps_the_person_in_the_middle_until_escape(shown: Shown, qtbot) -> None:
    small = replace(person(100, 2), box=(100.0, 20.0, 20.0, 30.0))
    shown.people(small)
    shown.click(110, 50)
    shown.actions["follow-person"].trigger()

    def off() -> float:
        middle = shown.canvas._to_fraction(QPointF(shown.canvas.rect().center()))
        return abs(middle.x() - 110 / SIZE[0])

    qtbot.waitUntil(lambda: off() < 0.02)
    shown.people(replace(small, box=(40.0, 20.0, 20.0, 30.0)))
    qtbot.waitUntil(lambda: off() > 0.2)
    qtbot.keyClick(shown.window, Qt.Key.Key_Escape)
    assert (shown.style.person, shown.style.follow) == (0, False)
    qtbot.waitUntil(lambda: shown.canvas._area().width() <= shown.canvas.width() + 8)


def test_hide_keep_and_show_everyone(shown: Shown) -> None:
    shown.click(20, 50)
    shown.actions["hide-person"].trigger()
    assert shown.style.hidden_people == {1}
    shown.click(20, 50)
    assert shown.style.person == 0, "who is hidden is not hit"
    assert rows(shown) == ["Person 1", "Person 2", "Person 3"], "and can be brought back"
    assert shown.window.people_bar.isVisible()
    shown.actions["show-people"].trigger()
    assert shown.style.hidden_people == frozenset()
    shown.click(110, 50)
    shown.actions["keep-person"].trigger()
    assert [shown.style.shows_person(n) for n in (1, 2, 3)] == [False, True, False]
    shown.people(person(60, 2), person(10, 1))
    assert shown.style.alone, "from frame to frame"
    shown.actions["show-people"].trigger()
    assert shown.style.shows_person(1)


def test_who_is_gone_is_named_and_everybody_comes_back(shown: Shown) -> None:
    shown.click(110, 50)
    shown.actions["keep-person"].trigger()
    shown.people(person(10, 1), pts_s=PATIENCE_S / 2)
    assert shown.style.alone, "unseen for a moment"
    shown.people(person(10, 1), pts_s=PATIENCE_S + 0.5)
    assert (shown.style.person, shown.style.alone) == (0, False)
    assert "Person 2 is gone" in shown.window.status.currentMessage()


def test_another_source_has_other_people(shown: Shown) -> None:
    shown.click(20, 50)
    shown.actions["hide-person"].trigger()
    shown.people(person(10, 1), source=shown.of.frame.source + 1)
    assert shown.style.hidden_people == frozenset()


def test_the_legend_lists_people_with_eye_and_solo(shown: Shown) -> None:
    assert rows(shown) == ["Person 1", "Person 2", "Person 3"]
    legend = shown.window.controls.legend
    heading = legend.topLevelItem(0)
    legend.itemClicked.emit(heading.child(0), 1)
    assert shown.style.hidden_people == {1}
    legend.itemClicked.emit(heading, 1)
    assert shown.style.hidden_people == {1, 2, 3}
    legend.itemDoubleClicked.emit(heading.child(1), 0)
    assert (shown.style.person, shown.style.alone) == (2, True)
    shown.window.controls._all.click()
    assert all(shown.style.shows_person(n) for n in (1, 2, 3))
    shown.window.display.choose_view(ViewMode.OVERLAY)
    assert "Person 1" not in rows(shown)


def test_the_person_under_the_cursor_is_named(shown: Shown) -> None:
    area = shown.canvas._area()
    at = QPointF(area.left() + 20 / SIZE[0] * area.width(), area.center().y())
    assert shown.canvas._words_at(at) == "person 1"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of people, exported as it was made; it finds whom it pleases."""
    out = tmp_path_factory.mktemp("bundles") / "crowd"
    row = ZOO["personlab-small"]
    spec = describe(row, name="crowd", licence="CC0-1.0", training_data=(), input_size=(96, 128))
    data = stage_bytes(
        build(row).eval().stages()["network"], spec
    )  # its parity is the contract tests' matter
    sums = f"{hashlib.sha256(data).hexdigest()}  network.onnx\n"
    write_folder(out, {"network.onnx": data, "CARD.md": b"# crowd\n", "SHA256SUMS": sums.encode()})
    return out


def test_a_network_of_people_opens_in_their_view_and_a_model_of_parts_in_the_one_before(
    playing, qtbot, bundle: Path
) -> None:
    workspace, window = playing.workspace, playing.window
    combo = window.controls._view

    def use(model: str) -> None:
        workspace.load(replace(workspace.choice, model=model))
        qtbot.waitUntil(lambda: workspace.engine.name == Path(model).name)
        qtbot.waitUntil(lambda: window.canvas.parsed.engine_id == workspace.engine.id)

    assert not window.actions_["view-instances"].isEnabled()
    assert "finds no people" in window.actions_["view-instances"].toolTip()
    assert not combo.model().item(combo.findText("Instances")).isEnabled()
    window.display.choose_view(ViewMode.CONFIDENCE)
    use(str(bundle))
    assert window.display.style.view is ViewMode.INSTANCES
    assert window.canvas.parsed.parsing is None
    assert not window.actions_["view-confidence"].isEnabled()
    use("factored-s31")
    assert window.display.style.view is ViewMode.CONFIDENCE
    window.display.choose_view(ViewMode.CUT_OUT)
    use(str(bundle))
    assert window.display.style.view is ViewMode.CUT_OUT, "no switch of models uncovers the room"
    use("factored-s31")
    playing.stop()
    assert json.loads(playing.settings_file.path.read_text())["view"] == "cut-out"


def test_one_person_of_the_x_factor_is_who_is_chosen(shown: Shown, monkeypatch) -> None:
    points, scores = np.tile(np.float32([(20, 40)]), (17, 1)), np.full(17, 0.2, np.float32)
    points[5], scores[5] = (24, 50), 0.9
    shown.people(replace(person(10, 1), pose=Pose(COCO17, points, scores)), person(100, 2))
    used: list[tuple[float, float]] = []
    monkeypatch.setattr(shown.desktop.workspace, "use_people", used.append)
    shown.click(20, 50)
    shown.actions["person"].trigger()
    assert used == [(24, 50)]
    assert "Click" not in shown.window.status.currentMessage()
    shown.window.display.show(replace(shown.style, person=0))
    shown.actions["person"].trigger()
    assert len(used) == 1
    assert "Click the person" in shown.window.status.currentMessage()
