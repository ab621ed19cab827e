"""Actions: everything the window can be asked to do, with its menu, words, key and tip, in one table."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtGui import QAction, QActionGroup, QKeySequence
from PyQt6.QtWidgets import QMainWindow, QMenu, QMenuBar

MENUS = ("File", "Source", "Model", "X factor", "Personalise", "View", "Tools", "Help")
LINE = "-"  # a separator


@dataclass(frozen=True)
class Entry:
    """One action."""

    name: str
    text: str
    key: str = ""
    tip: str = ""
    checks: str = ""  #: `alone`, or the name of a group of which one is checked
    keys: tuple[str, ...] = ()  #: further keys


def _view(number: int, name: str, text: str, tip: str) -> Entry:
    return Entry(f"view-{name}", text, str(number), tip, checks="view")


TABLE: dict[str, tuple[Entry | str, ...]] = {
    "File": (
        Entry("open", "&Open file…", "Ctrl+O"),
        Entry("open-folder", "Open fol&der of images…", "Ctrl+Shift+O"),
        Entry("open-link", "Open &link…", "Ctrl+U", "Download a YouTube video and open it"),
        "recent",
        Entry("example", "Open the &example", "Ctrl+E"),
        LINE,
        Entry("snapshot", "Save &snapshot", "S", "Save what is seen as a PNG (S)"),
        Entry("record", "&Record", "R", "Record what is seen (R)", checks="alone"),
        Entry("record-raw", "Record without &overlay", "Shift+R", checks="alone"),
        Entry("recordings", "Open the folder of re&cordings", "Ctrl+Shift+R"),
        LINE,
        Entry("close", "&Close source", "Ctrl+W"),
        Entry("quit", "&Quit", "Ctrl+Q"),
    ),
    "Source": (
        "cameras",
        LINE,
        Entry("play", "&Play or pause", "Space", "Play or pause (Space)"),
        Entry("back", "One frame &back", "Left", "One frame back (Left)"),
        Entry("forward", "One frame &forward", "Right", "One frame forward (Right)"),
        Entry("back-ten", "Ten frames back", "Shift+Left"),
        Entry("forward-ten", "Ten frames forward", "Shift+Right"),
        Entry("start", "To the &start", "Home", "To the start (Home)"),
        Entry("end", "To the &end", "End", "To the end (End)"),
        Entry("go-to", "&Go to frame…", "Ctrl+J"),
        LINE,
        Entry("mark-in", "Set &in here", "["),
        Entry("mark-out", "Set &out here", "]"),
        Entry("mark-clear", "Clear in and out", "Shift+["),
        Entry("loop", "&Loop", "L", "Loop (L)", checks="alone"),
        Entry("slower", "Slower", "Ctrl+Down"),
        Entry("faster", "Faster", "Ctrl+Up"),
        LINE,
        Entry("mirror", "&Mirror the camera", "M", "Mirrored like a mirror; on the screen only (M)", "alone"),
    ),
    "Model": (
        "models",
        Entry("open-model", "&Open a model…", "Ctrl+M"),
        LINE,
        "device",
        "size",
        "looks",
        Entry("smoothing", "&Smooth over time", "T", "Steadier edges on moving pictures", checks="alone"),
        LINE,
        Entry("model-card", "About this &model", "Ctrl+I"),
    ),
    "X factor": (
        Entry("own", "The network's o&wn factor", "O", checks="factor"),
        "factors",
        Entry("open-factor", "&Open a factor…", "Ctrl+Shift+F"),
        Entry("open-network", "Another &network…", "Ctrl+Shift+N", "Its silhouette instead"),
        Entry("library", "Factor &library…", "Ctrl+L", "Rename, delete, export, import"),
        LINE,
        Entry("plate", "&Background plate: learn now", "B", "Step out of the picture first", "factor"),
        Entry("chroma", "&Chroma key: pick the colour…", "K", "Click the colour of the backdrop", "factor"),
        Entry("motion", "&Motion (MOG2)", "Ctrl+Shift+M", "Whatever moves before a still camera", "factor"),
        Entry("masks", "Mask &sequence…", "Ctrl+Shift+K", "A folder with one mask per frame", "factor"),
        Entry("brush", "B&rush: paint the person…", "Ctrl+Shift+B", "A few strokes on one frame", "factor"),
        LINE,
        Entry("swap-back", "S&wap with the previous one", "X", "Compare two X factors with one key"),
    ),
    "Personalise": (
        Entry("personalise", "&Personalise…", "P", "An X factor that knows the person in this clip", "alone"),
        LINE,
        Entry("correct", "Correct a si&lhouette…", "Shift+C", "Paint where it is wrong"),
        Entry("stop-early", "&Stop early", "Ctrl+.", "Finish now and keep the best so far"),
        Entry("cancel-job", "&Cancel", "Ctrl+Shift+.", "Throw it away; the factor in use stays"),
        LINE,
        Entry("compare", "&Before | after of the new factor", "Shift+8", "Both on the picture", "alone"),
        Entry("keep-factor", "&Keep the new factor", "Ctrl+K"),
        Entry("discard-factor", "&Discard the new factor", "Ctrl+D"),
        Entry("undo-factor", "&Undo keeping it", "Ctrl+Z", "Back to the factor before"),
    ),
    "View": (
        _view(1, "overlay", "&Overlay", "Parts over the picture"),
        _view(2, "parts", "&Parts only", "Parts without the picture"),
        _view(3, "silhouette", "&Silhouette", "How sure the X factor is of a person"),
        _view(4, "cut-out", "&Cut-out", "The person before another background"),
        _view(5, "confidence", "Con&fidence", "Yellow is sure, violet is unsure"),
        _view(6, "skeleton", "S&keleton", "Joints, or the centres of their parts"),
        Entry("split", "&Before | after", "8", "A line between picture and view", checks="alone"),
        _view(9, "picture", "Picture onl&y", "As it came"),
        "behind",
        LINE,
        Entry("hide", "&Hide overlays", "H", checks="alone"),
        Entry("colour-blind", "Colour-blind-safe colours", "Ctrl+B", checks="alone"),
        Entry("hud", "&Numbers on the picture", "I", checks="alone"),
        Entry("panel", "&Side panel", "Ctrl+P", checks="alone"),
        LINE,
        Entry("zoom-in", "Zoom &in", "Ctrl++", keys=("Ctrl+=",)),
        Entry("zoom-out", "Zoom o&ut", "Ctrl+-"),
        Entry("fit", "Fit to the &window", "Ctrl+0", keys=("Ctrl+F",)),
        Entry("full-screen", "Fu&ll screen", "F", checks="alone", keys=("F11",)),
        "theme",
    ),
    "Tools": (
        Entry("show-all", "Show all &parts", "Ctrl+A"),
        Entry("copy-picture", "&Copy the picture", "Ctrl+C"),
        Entry("copy-system", "Copy s&ystem information", "Ctrl+Shift+I"),
        Entry("settings-file", "Open the &settings folder", "Ctrl+,"),
        Entry("logs", "Open the &log folder", "Ctrl+Shift+L"),
        Entry("delete-downloads", "&Delete downloaded clips…", "Ctrl+Shift+U"),
    ),
    "Help": (
        Entry("keys", "&Keyboard shortcuts", "F1"),
        Entry("about", "&About xfactor", "Shift+F1"),
    ),
}


class Actions:
    """The actions of one window, and the menus they stand in.

    Attributes:
        by_name: every action of the table.
        menus: the menus of the menu bar, and the submenus that are filled at run time, by name.
    """

    def __init__(self, window: QMainWindow, bar: QMenuBar) -> None:
        self.by_name: dict[str, QAction] = {}
        self.menus: dict[str, QMenu] = {}
        self._groups: dict[str, QActionGroup] = {}
        self._window = window
        for title in MENUS:
            menu = bar.addMenu("&" + title)
            if menu is None:
                continue
            menu.setToolTipsVisible(True)
            self.menus[title] = menu
            for entry in TABLE[title]:
                self._add(menu, entry)

    def __getitem__(self, name: str) -> QAction:
        return self.by_name[name]

    def group(self, name: str) -> QActionGroup:
        """The group of which one action is checked."""
        if name not in self._groups:
            self._groups[name] = QActionGroup(self._window)
        return self._groups[name]

    def _add(self, menu: QMenu, entry: Entry | str) -> None:
        if entry == LINE:
            menu.addSeparator()
        elif isinstance(entry, str):
            submenu = menu.addMenu(SUBMENUS[entry]) if entry in SUBMENUS else None
            if submenu is None:
                self.menus[entry] = menu
                place = menu.addSeparator()  # entries filled at run time stand before this line
                if place is not None:
                    self.by_name[f"{entry}-end"] = place
            else:
                submenu.setToolTipsVisible(True)
                self.menus[entry] = submenu
        else:
            menu.addAction(self._make(entry))

    def _make(self, entry: Entry) -> QAction:
        action = QAction(entry.text, self._window)
        action.setObjectName(entry.name)
        action.setIconVisibleInMenu(False)  # icons are for the buttons
        if entry.key:
            action.setShortcuts([QKeySequence(k) for k in (entry.key, *entry.keys)])
        if entry.tip:
            action.setToolTip(entry.tip)
            action.setStatusTip(entry.tip)
        if entry.checks:
            action.setCheckable(True)
            if entry.checks != "alone":
                self.group(entry.checks).addAction(action)
        self.by_name[entry.name] = action
        self._window.addAction(action)  # its key works in full screen too, where the menu bar is hidden
        return action


SUBMENUS = {
    "recent": "Open &recent",
    "cameras": "&Cameras",
    "device": "&Runs on",
    "size": "Network si&ze",
    "looks": "&Looks at each picture",
    "behind": "Be&hind a cut-out",
    "theme": "&Theme",
}


def shortcuts() -> list[tuple[str, str, str]]:
    """(menu, words, keys) of every action that has a key, for the help page."""
    rows = []
    for title in MENUS:
        for entry in TABLE[title]:
            if isinstance(entry, Entry) and entry.key:
                words = entry.text.replace("&", "").rstrip("…")
                rows.append((title, words, ", ".join((entry.key, *entry.keys))))
    return rows
