"""Theme: light, dark, or what the desktop says; colours stand here, rules of style in assets/style.qss."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from string import Template

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QGuiApplication, QPalette
from PyQt6.QtWidgets import QApplication, QWidget

from runtime.system.paths import assets_dir


@dataclass(frozen=True)
class Shades:
    """The colours of one theme."""

    window: str
    base: str
    raised: str
    line: str
    text: str
    faint: str
    accent: str
    on_accent: str
    stage: str  #: around the picture
    record: str = "#e5484d"
    warning: str = "#f5a524"


DARK = Shades(
    window="#1d1f22",
    base="#17191b",
    raised="#2a2d31",
    line="#34383d",
    text="#e8eaec",
    faint="#9aa1a9",
    accent="#4c9ffe",
    on_accent="#08131f",
    stage="#0f1011",
)
LIGHT = Shades(
    window="#f4f5f6",
    base="#ffffff",
    raised="#e9ebee",
    line="#d3d7db",
    text="#1b1d20",
    faint="#666d75",
    accent="#1769d2",
    on_accent="#ffffff",
    stage="#dcdfe3",
)


def shades(theme: str) -> Shades:
    """The colours for `light`, `dark` or `auto`."""
    if theme == "auto":
        hints = QGuiApplication.styleHints()
        dark = hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark
        return DARK if dark else LIGHT
    return DARK if theme == "dark" else LIGHT


def apply(application: QApplication, theme: str) -> Shades:
    """Give the whole program the colours of a theme."""
    shade = shades(theme)
    application.setStyle("Fusion")
    application.setPalette(_palette(shade))
    application.setStyleSheet(_style(shade))
    return shade


def polish(widget: QWidget) -> None:
    """Apply the rules again after a property that they name has changed."""
    style = widget.style()
    if style is not None:
        style.unpolish(widget)
        style.polish(widget)


def _palette(s: Shades) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for where, colour in (
        (role.Window, s.window), (role.WindowText, s.text), (role.Base, s.base),
        (role.AlternateBase, s.raised),
        (role.Text, s.text), (role.Button, s.raised), (role.ButtonText, s.text), (role.ToolTipBase, s.raised),
        (role.ToolTipText, s.text), (role.PlaceholderText, s.faint), (role.Highlight, s.accent),
        (role.HighlightedText, s.on_accent), (role.Link, s.accent), (role.BrightText, s.record),
        (role.Mid, s.line), (role.Dark, s.line), (role.Light, s.raised), (role.Midlight, s.raised),
    ):  # fmt: skip
        palette.setColor(where, QColor(colour))
    for where in (role.WindowText, role.Text, role.ButtonText):
        faded = QColor(s.faint)
        faded.setAlpha(130)
        palette.setColor(QPalette.ColorGroup.Disabled, where, faded)
    return palette


def _style(s: Shades) -> str:
    """The rules of assets/style.qss in some colours; images of check marks it can only take from files."""
    rules = Template((assets_dir() / "style.qss").read_text("utf-8"))
    return rules.substitute(asdict(s), icons=(assets_dir() / "icons").as_posix())
