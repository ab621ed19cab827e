"""The virtual camera shows what is seen, and never a room without a silhouette. No real device was at hand:
the class `pyvirtualcam.Camera` is stood in for by one that writes its pictures to a file; all else is real.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from app.live.camera_worker import serve

pytestmark = pytest.mark.gui
STAND_IN = """
class Camera:
    def __init__(self, width, height, fps):
        {opening}
        self.device = f"/dev/video9 {{width}}x{{height}} at {{fps:g}}"
        self._file = open({path!r}, "ab", buffering=0)
    def send(self, frame):
        assert frame.shape[2] == 3 and frame.dtype == "uint8"
        self._file.write(frame.tobytes())
    def close(self):
        open({path!r} + ".closed", "w").close()
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a module `pyvirtualcam` before the real one; gives the file its pictures go to."""

    def put(opening: str = "pass", *, missing: bool = False) -> Path:
        code = STAND_IN.format(path=str(tmp_path / "pictures"), opening=opening)
        (tmp_path / "pyvirtualcam.py").write_text("raise ImportError" if missing else code)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return tmp_path / "pictures"

    return put


def pictures(path: Path) -> np.ndarray:
    data = np.fromfile(path, np.uint8) if path.exists() else np.zeros(0, np.uint8)
    return data[: data.size // (90 * 160 * 3) * 90 * 160 * 3].reshape(-1, 90, 160, 3)


def switched_on(desktop, qtbot, path: Path) -> None:
    desktop.window.actions_["virtual-camera"].trigger()
    qtbot.waitUntil(lambda: len(pictures(path)) > 0)


def last_is(qtbot, path: Path, holds) -> None:
    qtbot.waitUntil(lambda: bool(holds(pictures(path)[-1])))


def black(picture: np.ndarray) -> bool:
    return picture.max() == 0


def test_other_programs_see_what_is_seen_and_never_the_room(playing, qtbot, stand_in) -> None:
    path, window = stand_in(), playing.window
    qtbot.keyClick(window, "4")
    switched_on(playing, qtbot, path)
    assert playing.camera.camera.device == "/dev/video9 160x90 at 12.5"
    playing.tick()
    assert window.actions_["virtual-camera"].isChecked()
    green = np.array((0, 177, 64))
    last_is(qtbot, path, lambda p: (p == green).all(axis=2).mean() > 0.5)
    person = (pictures(path)[-1] != green).any(axis=2)
    image = window.canvas.parsed.frame.image
    assert np.abs(pictures(path)[-1].astype(int) - image)[person].mean() < 60  # the person is there
    qtbot.keyClick(window, "h")  # a wrong key in a meeting
    playing.pipeline.capture.step(1)
    count = len(pictures(path))
    qtbot.waitUntil(lambda: len(pictures(path)) > count)
    assert (pictures(path)[-1] == green).all(axis=2).mean() > 0.5
    qtbot.keyClick(window, "h")
    for view in "41":  # without a result no picture, in no view
        qtbot.keyClick(window, view)
        playing.pipeline.use(None)
        last_is(qtbot, path, black)
        playing.pipeline.use(playing.workspace.engine)
        last_is(qtbot, path, lambda p: not black(p))
    playing.close_source()
    last_is(qtbot, path, black)
    window.actions_["virtual-camera"].trigger()
    qtbot.waitUntil(lambda: path.with_name("pictures.closed").exists())
    assert black(pictures(path)[-1])


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"missing": True}, "pyvirtualcam is not installed. Install the extra: pip install"),
        (
            {"opening": 'raise RuntimeError("no\\ndevice")'},
            "no device takes pictures (no device). Load a driver",
        ),
        ({"opening": "import os; os._exit(3)"}, "its process did not open a device"),
    ],
)
def test_without_extra_or_driver_it_is_refused_in_words(playing, qtbot, stand_in, how, words) -> None:
    stand_in(**how)
    playing.window.actions_["virtual-camera"].trigger()
    banner = playing.window.banner
    qtbot.waitUntil(lambda: banner.notice is not None and words in banner.notice.text)
    playing.tick()
    assert not playing.window.actions_["virtual-camera"].isChecked()


def test_a_device_that_dies_is_told(playing, qtbot, stand_in) -> None:
    stand_in()
    path = playing and Path(stand_in())
    code = path.with_name("pyvirtualcam.py")
    code.write_text(code.read_text().replace("assert frame", "raise SystemExit(4)\n        assert frame"))
    playing.window.actions_["virtual-camera"].trigger()
    banner = playing.window.banner
    qtbot.waitUntil(lambda: banner.notice is not None and "Switch it on again" in banner.notice.text)


def test_without_a_source_there_is_nothing_to_show(desktop) -> None:
    desktop.window.actions_["virtual-camera"].trigger()
    desktop.refresh()
    assert "Open a camera or a clip first" in desktop.window.banner.notice.text
    assert not desktop.window.actions_["virtual-camera"].isChecked()


def test_a_picture_that_is_cut_off_is_never_shown() -> None:
    class Device:
        device = "x"

        def __init__(self) -> None:
            self.shown: list[int] = []

        def send(self, frame: np.ndarray) -> None:
            self.shown.append(int(frame.max()))

        def close(self) -> None:
            self.shown.append(-1)

    device, said = Device(), []
    head = json.dumps({"width": 4, "height": 2, "fps": 30}).encode() + b"\n"
    serve(io.BytesIO(head + b"\x07" * 24 + b"\x09" * 23), said.append, lambda *_: device)
    assert (said, device.shown) == ([{"device": "x"}], [7, 0, -1])
