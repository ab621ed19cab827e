"""Live sources: the menus of cameras, of their sizes and rates, and of the screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PyQt6.QtGui import QGuiApplication

from app.settings import Settings
from app.ui.menu_entries import Choice, fill
from app.ui.translation import tr
from app.ui.window import Window
from app.workspace import Workspace
from runtime.media.camera_modes import COMMON_RATES, COMMON_SIZES, offered_modes
from runtime.media.cameras import CameraInfo, CameraMode, list_cameras
from runtime.media.sources import CAMERA, screen_address
from runtime.system.errors import Refusal


class LiveSources:
    """Opens cameras and screens; each camera keeps the size and rate chosen for it, by its name."""

    def __init__(
        self,
        window: Window,
        workspace: Workspace,
        open_source: Callable[[str], None],
        on_refused: Callable[[Refusal], None],
        change: Callable[..., None],
    ) -> None:
        self._window, self._workspace = window, workspace
        self._open_source, self._on_refused, self._change = open_source, on_refused, change
        self._modes: dict[str, CameraMode] = {}
        menus = window.actions_.menus
        menus["cameras"].aboutToShow.connect(self._fill_cameras)
        menus["screens"].aboutToShow.connect(self._fill_screens)
        menus["camera-size"].aboutToShow.connect(self._fill_modes)
        menus["camera-rate"].aboutToShow.connect(self._fill_modes)

    def restore(self, settings: Settings) -> None:
        """Modes of the last run; what is none is left out."""
        self._modes = {}
        for entry in settings.camera_modes:
            name, _, mode = entry.rpartition("=")
            try:
                self._modes[name] = CameraMode.parse(mode)
            except ValueError:
                continue
        self._workspace.addresses.modes = self._modes

    def ask_camera(self) -> None:
        """Open the only camera, or let the user choose."""
        cameras = list_cameras()
        if len(cameras) == 1:
            self._open_source(f"{CAMERA}{cameras[0].name}")
        elif cameras:
            self._fill_cameras()
            menu = self._window.actions_.menus["cameras"]
            menu.popup(self._window.welcome.mapToGlobal(self._window.welcome.rect().center()))
        else:
            words = "Plug one in, or open a file. A virtual camera counts too"
            self._on_refused(Refusal("Camera", "none is connected", words))

    def _fill_cameras(self) -> None:
        cameras = [Choice(f"{CAMERA}{c.name}", c.name) for c in list_cameras()]
        choices = cameras or [Choice("", "No camera is connected", enabled=False)]
        fill(self._window.actions_.menus["cameras"], choices, self._open_source)

    def _fill_screens(self) -> None:
        choices = []
        for screen in QGuiApplication.screens():
            place, scale = screen.geometry(), screen.devicePixelRatio()  # its corner is in real pixels
            width, height = round(place.width() * scale), round(place.height() * scale)
            address = screen_address((place.x(), place.y(), width, height))
            choices.append(Choice(address, f"{screen.name() or tr('Screen')} · {width} × {height}"))
        fill(self._window.actions_.menus["screens"], choices, self._open_source)

    @property
    def _camera(self) -> CameraInfo | None:
        return self._workspace.source.camera if self._workspace.source is not None else None

    def _offered(self, camera: CameraInfo) -> list[CameraMode]:
        asked = offered_modes(Path(f"/dev/video{camera.found_again().index}"))
        common = [CameraMode(size, rate) for size in COMMON_SIZES for rate in COMMON_RATES]
        return asked or common

    def _fill_modes(self) -> None:
        actions, camera = self._window.actions_, self._camera
        if camera is None:
            none = [Choice("", "No camera is open", enabled=False)]
            sizes = rates = none
        else:
            now, modes = camera.mode, self._offered(camera)
            at_size = sorted({m.rate for m in modes if m.size == now.size} | {now.rate})
            sizes = [
                Choice(str(CameraMode((w, h), now.rate)), f"{w} × {h}", checked=(w, h) == now.size)
                for w, h in sorted({m.size for m in modes} | {now.size})
            ]
            rates = [
                Choice(str(replace(now, rate=r)), f"{r:g} per second", checked=r == now.rate) for r in at_size
            ]
        for name, choices in (("camera-size", sizes), ("camera-rate", rates)):
            fill(actions.menus[name], choices, self._on_mode, group=actions.group(name))

    def _on_mode(self, text: str) -> None:
        source = self._workspace.source
        if source is None or source.camera is None or not text:
            return
        mode = CameraMode.parse(text)
        if mode.size != source.camera.mode.size:  # the rate it has at this size that is nearest
            rates = [m.rate for m in self._offered(source.camera) if m.size == mode.size] or [mode.rate]
            mode = replace(mode, rate=min(rates, key=lambda rate: abs(rate - mode.rate)))
        self._modes[source.camera.name] = mode
        self._change(camera_modes=tuple(f"{name}={m}" for name, m in self._modes.items()))
        self._open_source(source.address)
