"""Settings editing: Tools → Settings, from a choice in words to its effect and its place in the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from app.controllers.help import show_folder
from app.controllers.menus import RuntimeMenus
from app.settings import Settings, SettingsFile
from app.ui.dialogs import ask_consent, ask_folder
from app.ui.settings_dialog import SettingsDialog
from app.ui.window import Window
from app.workspace import Workspace
from runtime.engine.providers import CPU_BUILD, is_cpu_build
from runtime.system.errors import Refusal

RESET = (
    "View, colours, keys, folders and the list of recent sources will be as on the first day. "
    "Factors, models and recordings stay. The settings file of now is kept beside the new one."
)
CHECKED = {
    "legend": "panel",
    **{name: name for name in ("hud", "thumbnails", "joints", "smoothing", "mirror")},
}


class SettingsEditing:
    """Connects the dialog with the window; what has a menu entry goes the way of the menu.

    Args:
        current: the settings as the window stands now.
        change: keeps new values of settings that nothing else owns.
        restore: makes the window as settings say.
    """

    def __init__(
        self,
        window: Window,
        workspace: Workspace,
        file: SettingsFile,
        menus: RuntimeMenus,
        current: Callable[[], Settings],
        change: Callable[..., None],
        restore: Callable[[Settings], None],
    ) -> None:
        self._window, self._workspace, self._file = window, workspace, file
        self._menus, self._current, self._change, self._restore = menus, current, change, restore
        self._dialog: SettingsDialog | None = None
        self._act: dict[str, Callable[[Any], object]] = {
            "theme": window.theme_chosen.emit,
            "palette": lambda palette: self._check("colour-blind", on=palette == "colour-blind"),
            "opacity": lambda share: window.display.show(replace(window.display.style, opacity=share)),
            "device": lambda device: workspace.load(replace(workspace.choice, device=device)),
            "looks": workspace.set_views,
            **{name: partial(self._check_action, action) for name, action in CHECKED.items()},
        }
        window.actions_["settings"].triggered.connect(self.open)

    def open(self) -> None:
        """Show the dialog."""
        if self._dialog is None:
            dialog = self._dialog = SettingsDialog(self._window)
            if is_cpu_build():
                dialog.bar("device", "cuda", CPU_BUILD)
            dialog.changed.connect(self.choose)
            dialog.folder_wanted.connect(self._ask_folder)
            dialog.file_wanted.connect(lambda: show_folder(self._window, self._file.path.parent))
            dialog.reset_wanted.connect(self._ask_reset)
            dialog.activated.connect(self.refresh)
        self.refresh()
        self._dialog.show()
        self._dialog.raise_()

    def refresh(self) -> None:
        """Show what holds now."""
        if self._dialog is not None:
            self._dialog.show_values(asdict(self._current()))
            if self._file.read_only:
                self._dialog.show_problem(f"{self._file.path}: {self._file.read_only}. Nothing will be saved")

    def choose(self, name: str, value: Any) -> None:  # noqa: ANN401 - of any setting
        """Another value for a setting; one that cannot be used is refused in the dialog."""
        problem = ""
        if name in {"recordings", "export_folder"} and value and not os.access(str(value), os.W_OK | os.X_OK):
            problem = f"{value}: it cannot be written. Choose another folder."
        try:
            replace(self._current(), **dict[str, Any]({name: value}))
        except ValueError as e:
            problem = str(e)
        if self._dialog is not None:
            self._dialog.show_problem(problem)
        if not problem:
            self._act.get(name, lambda v: self._change(**{name: v}))(value)
            if name == "recent":
                self._menus.fill_recent(())
        self.refresh()

    def _check_action(self, action: str, on: bool) -> None:  # noqa: FBT001 - a setting's value
        self._check(action, on=on)

    def _check(self, action: str, *, on: bool) -> None:
        if self._window.actions_[action].isChecked() != on:
            self._window.actions_[action].trigger()

    def _ask_folder(self, name: str) -> None:
        now = getattr(self._current(), name)
        ask_folder(self._dialog or self._window, "Folder", now, partial(self.choose, name))

    def _ask_reset(self) -> None:
        parent = self._dialog or self._window
        ask_consent(parent, "Reset all settings?", RESET, "Reset", lambda yes: self.reset() if yes else None)

    def reset(self) -> None:
        """Everything as on the first day, in the window and in the file."""
        try:
            self._file.reset()
        except Refusal as e:
            if self._dialog is not None:
                self._dialog.show_problem(str(e))
            return
        settings = Settings()
        self._restore(settings)
        choice = replace(self._workspace.choice, model=settings.model, device=settings.device, size=0)
        if choice != self._workspace.choice:
            self._workspace.load(choice)
        self._change()
        self.refresh()
