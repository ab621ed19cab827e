"""Factor library: the dialog over the user's factors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.live.listing import Listing
from app.ui.dialogs import FACTORS, ask_consent, ask_file, ask_new_file, ask_text
from app.ui.library_dialog import LibraryDialog, LibraryRow, thumbnail_icon
from app.ui.translation import tr
from app.ui.window import Window
from app.workspace import Workspace
from models.spec import FactorCard
from personalize.client import job_folders
from personalize.client.verdict import gain_words
from runtime.library.factors import FactorFile, usable_name, user_factors
from runtime.system.errors import Refusal
from runtime.system.jobs import BackgroundJob, BackgroundJobs


class LibraryActions:
    """Connects the library dialog with the files and with what is in use."""

    def __init__(
        self,
        window: Window,
        workspace: Workspace,
        jobs: BackgroundJobs,
        listing: Listing,
        on_refused: Callable[[Refusal], None],
    ) -> None:
        self._window, self._workspace, self._jobs, self._on_refused = window, workspace, jobs, on_refused
        self._listing = listing
        self._dialog: LibraryDialog | None = None
        listing.listeners.append(self._fill)
        window.actions_["library"].triggered.connect(self.show)

    def show(self) -> None:
        """Open the library, or bring it to the front."""
        if self._dialog is None:
            dialog = LibraryDialog(self._window)
            dialog.used.connect(lambda name: self._workspace.use_factor(self._path(name)))
            dialog.renaming.connect(self._ask_name)
            dialog.deleting.connect(self._ask_delete)
            dialog.exporting.connect(self._ask_target)
            dialog.rolled_back.connect(self.roll_back)
            dialog.importing.connect(
                lambda: ask_file(dialog, "Import a factor", "", FACTORS, lambda p: self.add(Path(p)))
            )
            dialog.finished.connect(self._on_closed)
            self._dialog = dialog
        self.refresh()
        self._dialog.show()
        self._dialog.raise_()

    def dialog(self) -> LibraryDialog:
        """The library, opened."""
        self.show()
        assert self._dialog is not None
        return self._dialog

    def refresh(self) -> None:
        """Fill the dialog's table with what is known, and again when the files say otherwise."""
        if self._dialog is not None:
            self._fill()
            self._listing.refresh()

    def _fill(self) -> None:
        if self._dialog is None:
            return
        engine = self._workspace.engine
        trunk, model = (engine.trunk_sha256, engine.name) if engine is not None else ("", "")
        self._dialog.show_rows(
            [
                LibraryRow(
                    name=item.name,
                    gain=gain_words(item.spec.card),
                    made=item.spec.card.created if item.spec.card is not None else "",
                    model=model if item.trunk_sha256 == trunk else "another one",
                    fits=item.trunk_sha256 == trunk,
                    in_use=str(item.path) == self._workspace.xfactor.key,
                    face=thumbnail_icon(listed.thumbnail),
                    origin=_origin(item.spec.card),
                    earlier=listed.earlier,
                )
                for listed in self._listing.factors
                for item in (listed.file,)
            ]
            + [
                LibraryRow(name, "", "", f"cannot be used: {reason}", fits=False, in_use=False, face=None)
                for name, reason in self._listing.unreadable
            ]
        )

    def add(self, path: Path) -> None:
        """Copy a factor file into the library; it is tried in a child process first."""
        engine = self._workspace.engine
        if engine is None:
            return
        trunk = engine.stages.sessions[0].data

        def work(_: BackgroundJob) -> str:
            library = user_factors()
            return library.add(path, trunk, library.free_name(FactorFile.open(path).name)).name

        self._jobs.start(f"Importing {path.name}", work, self._on_added)

    def rename(self, name: str, new: str) -> None:
        """Another name, in the file, the menu and what is in use."""
        key, new = str(self._path(name)), usable_name(new)
        if new == name:
            return
        if self._tried(lambda: user_factors().rename(name, new)):
            self._workspace.rename_factor(key, str(self._path(new)), new)
            self._tried(lambda: job_folders.rename_of(name, new))
        self.refresh()

    def roll_back(self, name: str) -> None:
        """The generation before this one; the same again brings this one back."""
        in_use = self._workspace.xfactor.key == str(self._path(name))
        if self._tried(lambda: user_factors().roll_back(name)) and in_use:
            self._workspace.use_factor(self._path(name))
        self.refresh()

    def delete(self, name: str) -> None:
        """Remove it and all that was learnt of the person; the model's own factor takes its place."""
        self._workspace.drop_factor(str(self._path(name)))
        self._tried(lambda: job_folders.delete_factor(name))
        self.refresh()

    def _ask_name(self, name: str) -> None:
        ask_text(self._window, "Rename", f"New name of {name}:", name, lambda new: self.rename(name, new))

    def _ask_delete(self, name: str) -> None:
        words = (
            f"Delete {name}?\n\nThe factor, its thumbnail and every recording, silhouette and job of it are "
            "deleted. This cannot be undone. The clip itself stays."
        )
        ask_consent(
            self._window, "Delete a factor", words, "Delete", lambda yes: self.delete(name) if yes else None
        )

    def _ask_target(self, name: str) -> None:
        def write(target: str) -> None:
            if self._tried(lambda: user_factors().export(name, Path(target))):
                self._window.status.showMessage(f"Exported {name}", 6000)

        ask_new_file(self._window, "Export a factor", f"{name}.factor.onnx", FACTORS, write)

    def _tried(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except Refusal as e:
            self._on_refused(e)
            return False
        return True

    def _on_added(self, name: str) -> None:
        self._window.status.showMessage(f"{name} is in the library", 6000)
        self.refresh()

    def _on_closed(self) -> None:
        self._dialog = None

    @staticmethod
    def _path(name: str) -> Path:
        return user_factors().path(name)


def _origin(card: FactorCard | None) -> str:
    """Words for the frames and the person that a factor was learned from."""
    if card is None:
        return ""
    words = tr("Learned from {frames} frames; {person}")
    return words.format(frames=card.frames, person=card.person or tr("everybody in sight"))
