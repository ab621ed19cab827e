"""Runtime menus: entries that are known only at run time: models, factors, cameras, recent sources."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from PyQt6.QtGui import QAction, QActionGroup

from app.controllers import model_words
from app.controllers.window_state import shows_parts
from app.live.listing import Listing
from app.live.model_choice import ModelChoice
from app.ui.actions import SOURCES
from app.ui.dialogs import FACTORS, MODELS, PICTURES, ask_colour, ask_file, ask_folder
from app.ui.library_dialog import thumbnail_icon
from app.ui.menu_entries import Choice, fill, short_names
from app.ui.network_dialog import NetworkDialog
from app.ui.text_dialogs import show_page
from app.ui.translation import tr
from app.ui.window import UseClick, Window
from app.workspace import OWN, Workspace
from personalize.client.verdict import gain_words
from runtime.engine.providers import CPU_BUILD, is_cpu_build
from runtime.library.models import find_model, list_models
from runtime.media.images import read_image
from runtime.output.backdrop import Backdrop, BackdropKind
from runtime.output.instances import instances
from runtime.output.style import ViewMode
from runtime.silhouettes.people import separates_people
from runtime.system.errors import Refusal
from runtime.system.notices import Level, Notice

SIZES = (0, 256, 384, 512, 640, 768)
LOOKS = (
    Choice("auto", "Auto: what rests six, what plays one"),
    Choice("1", "One"),
    Choice("regions", "One, in video where people are", tip="Faster, a little less calm"),
    Choice("2", "Two, also mirrored", tip="Averaged; takes twice the time"),
    Choice("6", "Six, mirrored and at three sizes", tip="Averaged; takes five to six times the time"),
)
ONCE = "This model takes one view: the cells of its grid lie on corners, where a mirror image has none"
DEVICES = {"auto": "The fastest that works", "cpu": "CPU", "cuda": "NVIDIA GPU (CUDA)"}
NO_PARTS = "The model in use gives no body parts that a silhouette could change"
GREEN = (0, 177, 64)
PERSON_SHARE = 0.005  # of the picture; less is noise
ANYWAY_S = 5.0  # how long the warning before a plate can be answered
IN_VIEW = (
    "A person is in view: the plate would learn them as background. Step out of the picture, or go to a "
    "moment of the clip without people, then press B again. B within 5 s learns anyway."
)


class RuntimeMenus:
    """Fills the menus when they open, and passes on what was chosen."""

    def __init__(
        self,
        window: Window,
        workspace: Workspace,
        listing: Listing,
        open_source: Callable[[str], None],
        on_refused: Callable[[Refusal], None],
    ) -> None:
        self._window = window
        self._workspace = workspace
        self._listing = listing
        self._open_source = open_source
        self._on_refused = on_refused
        self._warned_s = float("-inf")  # when it was said that a plate would learn a person
        self._shown = workspace.xfactor.key
        self._ms: dict[str, float] = {}  # per frame, of the models that ran
        self._behind = QActionGroup(window)
        self._connect()
        self._fill_behind()
        self.refresh()

    def refresh(self) -> None:
        """Check and enable the entries as the workspace is."""
        workspace, actions = self._workspace, self._window.actions_
        key = workspace.xfactor.key
        if key != self._shown:  # a warning about the factor before is answered
            self._shown = key
            self._window.banner.withdraw("plate", "brush")
        if key in SOURCES:
            actions[key].setChecked(True)
        else:
            self._fill_factors()
        previous = workspace.previous
        actions["swap-back"].setEnabled(previous is not None)
        swap = tr("S&wap with {name}") if previous is not None else tr("S&wap with the previous one")
        name = tr(previous.name).replace("&", "&&") if previous is not None else ""
        actions["swap-back"].setText(swap.format(name=name))
        actions["model-card"].setEnabled(workspace.engine is not None)
        if workspace.engine is not None:
            engine, name = workspace.engine, workspace.engine.spec.name
            refused = {
                view: tr(f"{name} {reason}") for view, reason in model_words.views_refused(engine).items()
            }
            people = engine.spec.part_set is None and separates_people(engine)
            self._window.display.offer(refused, ViewMode.INSTANCES if people else ViewMode.OVERLAY)
        takes, opened = shows_parts(workspace), self._window.home is self._window.canvas
        for name in (*SOURCES, "open-factor", "open-network"):
            waits = "Open a source first" * (name in SOURCES - {OWN} and not opened)
            actions.refuse(name, waits if takes else NO_PARTS)
        factor = workspace.xfactor.name * takes
        self._window.status.show_engine(workspace.choice.model, factor, own=key == OWN)

    def fill_recent(self, sources: tuple[str, ...]) -> None:
        """The sources opened last."""
        choices = [Choice(s, n) for s, n in zip(sources, short_names(sources), strict=True)]
        fill(self._window.actions_.menus["recent"], choices, self._open_source)
        self._window.actions_.menus["recent"].setEnabled(bool(choices))
        self._window.welcome.show_recent(sources)

    def _connect(self) -> None:
        window, workspace = self._window, self._workspace
        menus, actions = window.actions_.menus, window.actions_
        menus["Model"].aboutToShow.connect(self._fill_models)
        menus["behind"].aboutToShow.connect(self._fill_behind)
        menus["X factor"].aboutToShow.connect(self._listing.refresh)
        menus["X factor"].aboutToShow.connect(self._fill_factors)
        self._listing.listeners += [self._show_models, self._fill_factors]
        window.page_changed.connect(self.refresh)
        actions["own"].triggered.connect(workspace.use_own)
        actions["plate"].triggered.connect(self._learn_plate)
        actions["motion"].triggered.connect(workspace.use_motion)
        actions["chroma"].triggered.connect(self._pick_chroma)
        actions["people"].triggered.connect(lambda _: workspace.use_people())
        actions["person"].triggered.connect(self._pick_person)
        actions["masks"].triggered.connect(self._ask_masks)
        actions["swap-back"].triggered.connect(workspace.swap_back)
        actions["swap-back"].triggered.connect(window.stop_picking)
        actions.group("factor").triggered.connect(self._on_other_factor)
        actions["open-factor"].triggered.connect(
            lambda: ask_file(window, "Open a factor", "", FACTORS, lambda p: workspace.use_factor(Path(p)))
        )
        actions["open-network"].triggered.connect(
            lambda: ask_file(
                window, "Another network", "", MODELS, lambda p: workspace.open_onnx(Path(p), silhouette=True)
            )
        )
        actions["open-model"].triggered.connect(
            lambda: ask_file(window, "Open a model", "", MODELS, lambda p: workspace.open_onnx(Path(p)))
        )
        workspace.on_foreign = lambda path: NetworkDialog(
            window, path.name, lambda reading: workspace.use_network(path, reading)
        ).open()
        actions["model-card"].triggered.connect(self._show_card)
        window.model_dropped.connect(lambda p: workspace.open_onnx(Path(p)))

    # -- models

    def _fill_models(self) -> None:
        self._listing.refresh()
        self._show_models()
        actions, choice = self._window.actions_, self._workspace.choice
        off = {"cuda"} - {choice.device} if is_cpu_build() else set()  # what was chosen elsewhere stays seen
        devices = [
            Choice(k, text, checked=k == choice.device, enabled=k not in off, tip=CPU_BUILD * (k in off))
            for k, text in DEVICES.items()
        ]
        fill(actions.menus["device"], devices, self._on_device, group=actions.group("device"))
        sizes = [
            Choice(str(s), f"{s} pixels" if s else "What the model was tuned for", checked=s == choice.size)
            for s in SIZES
        ]
        fill(actions.menus["size"], sizes, self._on_size, group=actions.group("size"))
        fill(actions.menus["looks"], self._looks(), self._workspace.set_views, group=actions.group("looks"))

    def _show_models(self) -> None:
        actions, used = self._window.actions_, self._workspace.choice.model
        if (parsed := self._window.canvas.parsed) is not None and parsed.infer_ms:
            self._ms[used] = parsed.infer_ms
        models = [
            Choice(
                b.name,
                b.name,
                checked=b.name == used,
                detail=model_words.in_short(b, self._ms.get(b.name, 0.0)),
            )
            for b in self._listing.models
        ]
        group = actions.group("model")
        fill(actions.menus["models"], models, self._on_model, group=group, before=actions["models-end"])

    def _looks(self) -> list[Choice]:
        engine, looks = self._workspace.engine, self._workspace.looks
        if engine is None or engine.averages:
            return [replace(c, checked=c.key == looks) for c in LOOKS]
        several = {"2", "6"}
        looks = "1" if looks in several else looks  # what is done; the wish comes back with another model
        return [
            replace(c, enabled=False, tip=ONCE) if c.key in several else replace(c, checked=c.key == looks)
            for c in LOOKS
        ]

    def _on_model(self, name: str) -> None:
        self._workspace.load(replace(self._workspace.choice, model=name))

    def _on_device(self, device: str) -> None:
        self._workspace.load(replace(self._workspace.choice, device=device))

    def _on_size(self, size: str) -> None:
        self._workspace.resize(int(size))

    def _show_card(self) -> None:
        engine = self._workspace.engine
        if engine is None:
            return
        card = ""
        with suppress(Refusal):
            card = find_model(self._workspace.choice.model).card
        show_page(self._window, engine.spec.name, f"{card}\n\n{model_words.described(engine.spec)}")

    # -- X factor

    def _fill_factors(self) -> None:
        actions, workspace = self._window.actions_, self._workspace
        trunk = workspace.engine.trunk_sha256 if workspace.engine is not None else ""
        choices = [
            Choice(
                str(f.path),
                f"{f.name} · {gain}" if (gain := gain_words(f.spec.card)) else f.name,
                checked=str(f.path) == workspace.xfactor.key,
                enabled=f.trunk_sha256 == trunk,
                tip="It was made for another model" * (f.trunk_sha256 != trunk),
                icon=thumbnail_icon(listed.thumbnail),
            )
            for listed in self._listing.factors
            for f in (listed.file,)
        ]
        if workspace.xfactor.source is not None and workspace.xfactor.key not in {
            *SOURCES,
            *(c.key for c in choices),
        }:
            choices.append(Choice(workspace.xfactor.key, workspace.xfactor.name, checked=True))
        group = actions.group("factor")
        fill(actions.menus["factors"], choices, self._on_factor, group=group, before=actions["factors-end"])

    def _on_factor(self, path: str) -> None:
        if path != self._workspace.xfactor.key:
            self._workspace.use_factor(Path(path))

    def _on_other_factor(self, action: QAction) -> None:
        if action not in (self._window.actions_["chroma"], self._window.actions_["person"]):
            self._window.stop_picking()

    def _learn_plate(self) -> None:
        """Learn now; with a person in view, only when asked again."""
        parsed, now_s = self._window.canvas.parsed, time.monotonic()
        parsing = parsed.parsing if parsed is not None else None
        seen = parsing is not None and float((parsing.labels > 0).mean()) > PERSON_SHARE
        if seen and now_s - self._warned_s > ANYWAY_S:
            self._warned_s = now_s
            self._window.banner.show_notice(Notice(IN_VIEW, Level.WARNING, topic="plate"))
            self.refresh()  # what was in use stays
        else:
            self._warned_s = float("-inf")
            self._window.banner.withdraw("plate")
            self._workspace.use_plate()

    def _pick_chroma(self) -> None:
        self._ask_click(
            "Click the colour of the backdrop",
            lambda parsed, x, y: self._workspace.use_chroma(parsed.frame, int(x), int(y)),
        )

    def _pick_person(self) -> None:
        """Take the person who is chosen in the picture, else the next click."""
        parsed, number = self._window.canvas.parsed, self._window.display.style.person
        people = parsed.result.people if parsed is not None and parsed.result is not None and number else ()
        for pose in (i.person.pose for i in instances(people) if i.number == number):
            if pose is not None:
                self._window.stop_picking()
                x, y = pose.points[pose.scores.argmax()].tolist()
                self._workspace.use_people((x, y))
                return
        self._ask_click("Click the person", lambda _, x, y: self._workspace.use_people((x, y)))

    def _ask_click(self, words: str, use: UseClick) -> None:
        self._window.ask_click(words, use)
        self.refresh()  # nothing is chosen before the click

    def _ask_masks(self) -> None:
        self.refresh()
        path = self._workspace.source.path if self._workspace.source is not None else None
        beside = str(path.absolute().parent) if path is not None else ""
        title = "A folder with one mask per frame"
        ask_folder(self._window, title, beside, lambda p: self._workspace.use_masks(Path(p)))

    # -- the rest

    def _fill_behind(self) -> None:
        behind = self._window.display.style.behind
        green = behind.kind is BackdropKind.COLOUR and behind.colour == GREEN
        entries = {
            "green": "Green",
            "colour": "A colour…",
            "blur": "The room, blurred",
            "image": "A picture…",
            "checks": "Nothing (checks)",
        }
        choices = [
            Choice(key, text, checked=key == ("green" if green else behind.kind))
            for key, text in entries.items()
        ]
        fill(self._window.actions_.menus["behind"], choices, self._on_behind, group=self._behind)

    def _on_behind(self, key: str) -> None:
        display, window = self._window.display, self._window
        if key == "colour":
            ask_colour(
                window,
                "Behind a cut-out",
                display.style.behind.colour,
                lambda c: display.choose_behind(
                    Backdrop(BackdropKind.COLOUR, (c.red(), c.green(), c.blue()))
                ),
            )
        elif key == "image":
            ask_file(window, "Behind a cut-out", "", PICTURES, self._on_backdrop)
        elif key == "green":
            display.choose_behind(Backdrop(BackdropKind.COLOUR, GREEN))
        else:
            display.choose_behind(Backdrop(BackdropKind(key)))

    def _on_backdrop(self, path: str) -> None:
        try:
            picture = read_image(path)
        except Refusal as e:
            self._on_refused(e)
            return
        self._window.display.choose_behind(Backdrop(BackdropKind.IMAGE, image=picture))


def first_choice(model: str, device: str, size: int) -> ModelChoice:
    """The model of the last run, or the first there is when it is gone."""
    names = [b.name for b in list_models()]
    try:
        known = model in names or Path(model).exists()
    except OSError:  # a name too long, a folder that nobody may enter
        known = False
    return ModelChoice(model if known or not names else names[0], device, size)
