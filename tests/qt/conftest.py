"""The real window over the shipped model, on a clip made on the spot."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partialmethod
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot

from app.desktop import Desktop
from app.settings import SettingsFile
from personalize.replay import read_regression
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.media.writing import VideoWriter
from runtime.system.paths import assets_dir
from tests.qt.scripting import SCRIPT


def small(bundle: str, *, device: str, threads: int, size: NetworkSize | None) -> Engine:
    """The shipped model on small pictures: milliseconds per frame."""
    return load_engine(bundle, device="cpu", threads=threads, size=size or NetworkSize(96))


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a person who slides over a gradient; 50 frames, so that frame numbers are easy."""
    path = tmp_path_factory.mktemp("clips") / "moving.mp4"
    writer = VideoWriter(path, (160, 90), 12.5)
    person, mask = _person(height=78)
    for index in range(50):
        image = np.tile(np.linspace(40, 200, 160, dtype=np.uint8)[None, :, None], (90, 1, 3)).copy()
        place = image[6:84, 2 * index : 2 * index + mask.shape[1]]
        place[mask] = person[mask]
        writer.write(image, index / 12.5)
    writer.close()
    return path


def _person(height: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """One of the bundled rendered people, cut out: picture (h, w, 3) and mask (h, w)."""
    people = read_regression(assets_dir() / "regression")
    picture, mask = people.pictures[50], (people.silhouettes[50] > 0).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(mask)
    size = (round(w * height / h), height)
    cut, inside = (
        cv2.resize(a[y : y + h, x : x + w], size, interpolation=cv2.INTER_AREA) for a in (picture, mask)
    )
    return np.asarray(cut, np.uint8), inside > 0


class PatientBot(QtBot):
    """Waits for what a test waits for, however busy the machine: what never comes fails all the same."""

    waitUntil = partialmethod(QtBot.waitUntil, timeout=60_000)  # noqa: N815 the name of pytest-qt
    waitSignal = partialmethod(QtBot.waitSignal, timeout=60_000)  # noqa: N815


@pytest.fixture
def qtbot(qapp, request: pytest.FixtureRequest) -> PatientBot:
    del qapp
    return PatientBot(request)


@pytest.fixture
def desktop(qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    """A started window; it is stopped at the end, and everything with it, in a busy machine's time."""
    monkeypatch.setattr("app.desktop.STOP_S", 20.0)
    made = Desktop(SettingsFile(tmp_path / "settings.json"), loader=small)
    qtbot.addWidget(made.window)
    made.start()
    yield made
    made.stop()
    assert made.stuck == []


@pytest.fixture
def playing(desktop: Desktop, clip: Path, qtbot) -> Desktop:
    """A window with the clip on its first frame, parsed, paused."""
    desktop.open(str(clip))
    qtbot.waitUntil(lambda: parsed_with_parts(desktop))
    desktop.pipeline.capture.seek(0)
    pause(desktop)
    shows(desktop, qtbot, 0)
    return desktop


def pause(desktop: Desktop) -> None:
    if desktop.pipeline.capture.playback.playing:
        desktop.playing.toggle()


def parsed_with_parts(desktop: Desktop) -> bool:
    parsed = desktop.window.canvas.parsed
    return parsed is not None and parsed.parsing is not None


def shows(desktop: Desktop, qtbot, index: int) -> None:
    """Wait until frame `index` is on show, with parts."""

    def there() -> bool:
        return parsed_with_parts(desktop) and desktop.window.canvas.parsed.frame.index == index

    qtbot.waitUntil(there)


@pytest.fixture
def showing(qtbot) -> Callable[[Desktop, int], None]:
    return lambda desktop, index: shows(desktop, qtbot, index)


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    """A silhouette as the worker writes it: a box of person beside a box of doubt."""
    drawn = np.zeros((90, 160), np.uint8)
    drawn[20:80, 30:60], drawn[20:80, 60:70] = 255, 128
    cv2.imwrite(str(tmp_path / "mask.png"), drawn)
    return tmp_path / "mask.png"


@pytest.fixture
def worker(playing: Desktop, tmp_path: Path):
    """Let the next personalisation run a script."""

    def use(*attempts: list[list[object]]) -> None:
        (tmp_path / "script.json").write_text(json.dumps(attempts))
        playing.personalization.command = (sys.executable, str(SCRIPT), str(tmp_path / "script.json"))

    return use
