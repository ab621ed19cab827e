"""Actions: everything the window can be asked to do, with its menu, words, key and tip, in one table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.ui.translation import tr

MENUS = ("File", "Source", "Model", "X factor", "Personalise", "View", "Tools", "Help")
STOP_TIP = "Learn no longer, and check what was learned so far: kept only if it is better"
MIRROR_TIP = "Like a mirror, on the screen only; right and left of the parts stay the person's own"
LINE = "-"  # a separator


@dataclass(frozen=True)
class Action:
    """One action."""

    name: str
    text: str
    key: str = ""
    tip: str = ""
    checks: str = ""  #: `alone`, or the name of a group of which one is checked
    keys: tuple[str, ...] = ()  #: further keys

    @property
    def words(self) -> str:
        """Its text outside a menu."""
        return without_mnemonic(tr(self.text)).rstrip("…")


def _view(number: int, name: str, text: str, tip: str) -> Action:
    return Action(f"view-{name}", text, str(number), tip, checks="view")


TABLE: dict[str, tuple[Action | str, ...]] = {
    "File": (
        Action("open", "&Open file…", "Ctrl+O"),
        Action("open-folder", "Open fol&der of images…", "Ctrl+Shift+O"),
        Action("open-link", "Open &link…", "Ctrl+U", "A YouTube video, or a stream of a network camera"),
        "recent",
        Action("example", "Open the &example", "Ctrl+E"),
        LINE,
        Action("snapshot", "Save &snapshot", "S", "Save what is seen as a PNG"),
        Action("record", "&Record", "R", "Record what is seen", checks="alone"),
        Action("record-raw", "Record without &overlay", "Shift+R", checks="alone"),
        Action("export", "E&xport…", "Ctrl+Shift+X", "Overlay, cut-out, matte, labels or tables as files"),
        Action("recordings", "Open the folder of re&cordings", "Ctrl+Shift+R"),
        Action("recordings-folder", "Choose the folder of recordin&gs…", "Ctrl+Alt+R"),
        LINE,
        Action("close", "&Close source", "Ctrl+W"),
        Action("quit", "&Quit", "Ctrl+Q"),
    ),
    "Source": (
        "cameras",
        "camera-size",
        "camera-rate",
        "screens",
        LINE,
        "play-list",
        Action("previous-source", "P&revious of the play list", "PgUp"),
        Action("next-source", "Ne&xt of the play list", "PgDown"),
        LINE,
        Action("play", "&Play or pause", "Space", "Play or pause"),
        Action("back", "One frame &back", "Left", "One frame back"),
        Action("forward", "One frame &forward", "Right", "One frame forward"),
        Action("back-ten", "Ten frames back", "Shift+Left"),
        Action("forward-ten", "Ten frames forward", "Shift+Right"),
        Action("start", "To the &start", "Home", "To the start"),
        Action("end", "To the &end", "End", "To the end"),
        Action("go-to", "&Go to frame…", "Ctrl+J"),
        LINE,
        Action("mark-in", "Set &in here", "["),
        Action("mark-out", "Set &out here", "]"),
        Action("mark-clear", "Clear in and out", "Shift+["),
        Action("loop", "&Loop", "L", "Loop", checks="alone"),
        Action("slower", "Slower", "Ctrl+Down"),
        Action("faster", "Faster", "Ctrl+Up"),
        LINE,
        Action("mirror", "&Mirror the camera", "M", MIRROR_TIP, "alone"),
    ),
    "Model": (
        "models",
        Action("open-model", "&Open a model…", "Ctrl+M"),
        "beside",
        LINE,
        "device",
        "size",
        "looks",
        Action("smoothing", "&Smooth over time", "T", "Steadier edges on moving pictures", checks="alone"),
        LINE,
        Action("model-card", "About this &model", "Ctrl+I"),
    ),
    "X factor": (
        Action("own", "The network's o&wn factor", "O", checks="factor"),
        "factors",
        Action("open-factor", "&Open a factor…", "Ctrl+Shift+F"),
        Action("open-network", "Another &network…", "Ctrl+Shift+N", "Its silhouette instead"),
        Action("library", "Factor &library…", "Ctrl+L", "Rename, delete, export, import"),
        LINE,
        Action("plate", "&Background plate: learn now", "B", "Step out of the picture first", "factor"),
        Action("chroma", "&Chroma key: pick the colour…", "K", "Click the colour of the backdrop", "factor"),
        Action("motion", "&Motion (MOG2)", "Ctrl+Shift+M", "Whatever moves before a still camera", "factor"),
        Action("masks", "Mask &sequence…", "Ctrl+Shift+K", "A folder with one mask per frame", "factor"),
        Action("people", "Peop&le", "Ctrl+Shift+E", "Masks of everybody (PersonLab)", "factor"),
        Action(
            "person",
            "One p&erson…",
            "Ctrl+Shift+W",
            "The silhouette of who is chosen in the picture, or of whom you click",
            "factor",
        ),
        Action("brush", "B&rush: paint the person…", "Ctrl+Shift+B", "A few strokes on one frame", "factor"),
        LINE,
        Action("swap-back", "S&wap with the previous one", "X", "Compare two X factors with one key"),
    ),
    "Personalise": (
        Action(
            "personalise", "&Personalise…", "P", "An X factor that knows the person in this clip", "alone"
        ),
        LINE,
        Action("correct", "Correct a si&lhouette…", "Shift+C", "Paint where it is wrong"),
        Action("stop-early", "&Stop early", "Ctrl+.", STOP_TIP),
        Action("cancel-job", "&Cancel", "Ctrl+Shift+.", "Throw it away; the factor in use stays"),
        LINE,
        Action("compare", "&Before | after of the new factor", "Shift+8", "Both on the picture", "alone"),
        Action("keep-factor", "&Keep the new factor", "Ctrl+K"),
        Action("discard-factor", "&Discard the new factor", "Ctrl+D"),
        Action("undo-factor", "&Undo keeping it", "Ctrl+Z", "Back to the factor before"),
    ),
    "View": (
        _view(1, "overlay", "&Overlay", "Parts over the picture"),
        _view(2, "parts", "&Parts only", "Parts without the picture"),
        _view(3, "silhouette", "&Silhouette", "How sure the X factor is of a person"),
        _view(4, "cut-out", "&Cut-out", "The person before another background"),
        _view(5, "confidence", "Con&fidence", "Yellow is sure, violet is unsure"),
        _view(6, "skeleton", "S&keleton", "Joints, or the centres of their parts"),
        _view(7, "instances", "&Instances", "Every person in a colour of their own"),
        Action("split", "&Before | after", "8", "A line between picture and view", checks="alone"),
        Action("split-left", "Line to the left", "Ctrl+Left"),
        Action("split-right", "Line to the right", "Ctrl+Right"),
        _view(9, "picture", "Picture onl&y", "As it came"),
        "behind",
        "people",
        "movement",
        LINE,
        Action("hide", "&Hide overlays", "H", checks="alone"),
        Action("joints", "&Joints over the parts", "J", "Of a model that gives both", checks="alone"),
        Action("contours", "Lines between par&ts", "Shift+L", "A dark line around each part", checks="alone"),
        Action("colour-blind", "Colour-blind-safe colours", "Ctrl+B", checks="alone"),
        Action("hud", "&Numbers on the picture", "I", checks="alone"),
        Action("numbers", "All numb&ers of the frame…", "Shift+I", "Area, place and angle, to be copied"),
        Action(
            "thumbnails", "T&humbnails", "Ctrl+T", "Small pictures of the clip over the time line", "alone"
        ),
        Action("panel", "&Side panel", "Ctrl+P", checks="alone"),
        LINE,
        Action("zoom-in", "Zoom &in", "Ctrl++", keys=("Ctrl+=",)),
        Action("zoom-out", "Zoom o&ut", "Ctrl+-"),
        Action("fit", "Fit to the &window", "Ctrl+0", keys=("Ctrl+F",)),
        Action("full-screen", "Fu&ll screen", "F", checks="alone", keys=("F11",)),
        "theme",
    ),
    "Tools": (
        Action("jobs", "&Jobs…", "Ctrl+Shift+J", "What runs and what has ended, with its result"),
        LINE,
        Action("show-all", "Show &all parts or people", "Ctrl+A"),
        Action("copy-picture", "&Copy the picture", "Ctrl+C"),
        Action(
            "virtual-camera",
            "&Virtual camera",
            "Ctrl+Alt+V",
            "What is seen, as a camera of other programs; black without a silhouette",
            checks="alone",
        ),
        Action("copy-system", "Copy s&ystem information", "Ctrl+Shift+I"),
        Action("settings", "&Settings…", "Ctrl+,"),
        Action("settings-file", "Open the settings &folder", "Ctrl+Shift+,"),
        Action("logs", "Open the &log folder", "Ctrl+Shift+L"),
        Action("delete-downloads", "&Delete downloaded clips…", "Ctrl+Shift+U"),
    ),
    "Help": (
        Action("keys", "&Keyboard shortcuts", "F1"),
        Action("messages", "&Messages of this run", "Ctrl+Shift+H", "What was said, also what is gone"),
        Action("about", "&About xfactor", "Shift+F1"),
    ),
}
#: Entries of submenus that are known beforehand.
SUBMENU_TABLE: dict[str, tuple[Action | str, ...]] = {
    "beside": (
        "models-beside",
        LINE,
        Action("end-beside", "&End the comparison", "Ctrl+Y", "The model in use alone again"),
    ),
    "movement": (
        Action("movement", "&Plot under the time line", "G", "Area, speed or angles over time", "alone"),
        LINE,
        "measures",
        Action("measure-clip", "Measure the &whole clip", "Shift+G", "In a process of its own"),
        Action("movement-table", "Save as &CSV…", "Ctrl+G", "Everything measured so far"),
        Action("movement-picture", "Save the plot as a p&icture…", "Ctrl+Shift+G", "PNG or SVG"),
        LINE,
        Action("next-swap", "To the &next swap of sides", "Shift+W", "Where left and right change places"),
        Action("swap-sides", "Swap &left and right from here", "W", "Again takes it back"),
    ),
    "people": (
        Action("next-person", "&Next person", "N", "Choose the next person"),
        Action("previous-person", "&Previous person", "Shift+N", "Choose the person before"),
        LINE,
        Action("follow-person", "&Follow", "Shift+F", "Keep them in the middle", checks="alone"),
        Action("hide-person", "&Hide", "Shift+H", "Do not paint this person"),
        Action(
            "keep-person",
            "&Keep only",
            "Shift+K",
            "Paint only them; the X factor stays",
            checks="alone",
        ),
        Action("show-people", "Show &everyone", "Shift+A", "Bring hidden people back"),
        Action("learn-person", "&Personalise to them…", "Shift+P", "Learn only this person"),
        LINE,
        Action("boxes", "&Boxes", "Shift+B", "A box around everybody", checks="alone"),
    ),
}
#: Entries of the menu "X factor" that are silhouette sources of their own, not files.
SOURCES = frozenset(a.name for a in TABLE["X factor"] if isinstance(a, Action) and a.checks == "factor")
SUBMENUS = {
    "recent": "Open &recent",
    "cameras": "&Cameras",
    "camera-size": "Camera si&ze",
    "camera-rate": "Camera ra&te",
    "screens": "Scree&ns",
    "play-list": "Pl&ay list",
    "beside": "Compare &with",
    "device": "&Runs on",
    "size": "Network si&ze",
    "looks": "A&veraged views",
    "behind": "Be&hind a cut-out",
    "people": "Peop&le",
    "theme": "&Theme",
    "movement": "&Movement",
}


def entries() -> Iterator[tuple[str, Action]]:
    """(words of the menu, action) of every action, in the order of the menus."""
    menus = ((f"&{title}", rows) for title, rows in TABLE.items())
    for title, rows in (*menus, *((SUBMENUS[name], rows) for name, rows in SUBMENU_TABLE.items())):
        for row in rows:
            if isinstance(row, Action):
                yield without_mnemonic(tr(title)), row


def without_mnemonic(text: str) -> str:
    """Words of a menu outside of it."""
    return re.sub("&(.)", r"\1", text)
