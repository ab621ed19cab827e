"""Theme: light, dark, or what the desktop says; colours and rules of style stand here only."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QGuiApplication, QPalette
from PyQt6.QtWidgets import QApplication

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


def _image(name: str) -> str:
    """The one kind of icon that a style sheet can only take from a file."""
    return f'url("{(assets_dir() / "icons" / name).as_posix()}.svg")'


def _style(s: Shades) -> str:
    return _bars(s) + _fields(s) + _names(s)


def _bars(s: Shades) -> str:
    """RuntimeMenus, status bar, buttons."""
    return f"""
    QMenuBar {{ background: {s.window}; padding: 2px 4px; border-bottom: 1px solid {s.line}; }}
    QMenuBar::item {{ padding: 5px 9px; border-radius: 4px; background: transparent; }}
    QMenuBar::item:selected {{ background: {s.raised}; }}
    QMenu {{ background: {s.base}; border: 1px solid {s.line}; padding: 5px; }}
    QMenu::item {{ padding: 5px 28px 5px 24px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {s.accent}; color: {s.on_accent}; }}
    QMenu::item:disabled {{ color: {s.faint}; background: transparent; }}
    QMenu::separator {{ height: 1px; background: {s.line}; margin: 5px 8px; }}
    QMenu {{ icon-size: 24px; }}
    QMenu::icon {{ left: 4px; }}
    QMenu::icon:checked {{ border: 2px solid {s.accent}; border-radius: 4px; padding: 1px; }}
    QMenu::indicator {{ width: 14px; height: 14px; left: 6px; }}
    QMenu::indicator:checked {{ image: {_image("menu-check")}; }}
    QStatusBar {{ background: {s.window}; border-top: 1px solid {s.line}; }}
    QStatusBar::item {{ border: none; }}
    QStatusBar QLabel {{ color: {s.faint}; padding: 2px 7px; }}
    QStatusBar QLabel#badge {{ color: {s.text}; background: {s.raised}; border-radius: 4px; padding: 2px 8px;
                               margin: 2px 6px 2px 2px; }}
    QStatusBar QLabel#camera, QStatusBar QLabel#recording {{ color: {s.record}; font-weight: 600; }}
    QToolButton {{ border: none; border-radius: 6px; padding: 5px; background: transparent; }}
    QToolButton:hover {{ background: {s.raised}; }}
    QToolButton:pressed, QToolButton:checked {{ background: {s.raised}; }}
    QToolButton::menu-indicator {{ image: none; }}
    QPushButton {{ border: 1px solid {s.line}; border-radius: 6px; padding: 6px 14px;
                  background: {s.raised}; }}
    QPushButton:hover {{ border-color: {s.accent}; }}
    QPushButton:disabled {{ color: {s.faint}; }}
    QPushButton:checked {{ border-color: {s.accent}; color: {s.accent}; }}
    QPushButton#primary {{ background: {s.accent}; color: {s.on_accent}; border-color: {s.accent};
                           font-weight: 600; }}
    QPushButton#primary:hover {{ border-color: {s.text}; }}
    QPushButton#primary:disabled {{ background: {s.raised}; color: {s.faint}; border-color: {s.line}; }}
    """


def _fields(s: Shades) -> str:
    """Style rules of fields, sliders and scroll bars."""
    return f"""
    QTreeWidget, QPlainTextEdit, QTableWidget {{ background: {s.base}; border: 1px solid {s.line};
                                                 border-radius: 6px; }}
    QTreeWidget::item {{ padding: 2px 0; }}
    QTableWidget::item {{ padding: 0 8px; border: none; }}
    QTableWidget {{ outline: none; }}
    QTableWidget::item:selected, QTableWidget::item:focus {{ background: {s.raised}; color: {s.text}; }}
    QTreeWidget::item:selected, QTreeWidget::item:hover {{ background: {s.raised}; color: {s.text}; }}
    QComboBox {{ border: 1px solid {s.line}; border-radius: 6px; padding: 5px 8px; background: {s.raised}; }}
    QComboBox::drop-down {{ border: none; width: 24px; }}
    QComboBox::down-arrow {{ image: {_image("chevron")}; width: 12px; height: 12px; }}
    QCheckBox {{ spacing: 7px; }}
    QLineEdit {{ border: 1px solid {s.line}; border-radius: 6px; padding: 5px 8px; background: {s.base}; }}
    QLineEdit:focus {{ border-color: {s.accent}; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; }}
    QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {s.faint}; border-radius: 4px;
                            background: {s.base}; }}
    QCheckBox::indicator:checked {{ background: {s.accent}; border-color: {s.accent};
                                    image: {_image("check")}; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
    QScrollBar::handle {{ background: {s.line}; border-radius: 4px; margin: 1px;
                          min-height: 28px; min-width: 28px; }}
    QScrollBar::handle:hover {{ background: {s.faint}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QHeaderView::section {{ background: {s.window}; color: {s.faint}; border: none; padding: 5px; }}
    QMainWindow::separator {{ width: 4px; background: {s.window}; }}
    QMainWindow::separator:hover {{ background: {s.accent}; }}
    QToolTip {{ background: {s.raised}; color: {s.text}; border: 1px solid {s.line}; padding: 4px; }}
    QProgressBar {{ border: none; border-radius: 3px; background: {s.raised}; max-height: 6px; }}
    QProgressBar::chunk {{ background: {s.accent}; border-radius: 3px; }}
    QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {s.line}; }}
    QSlider::sub-page:horizontal {{ background: {s.accent}; border-radius: 2px; }}
    QSlider::handle:horizontal {{ width: 14px; margin: -5px 0; border-radius: 7px; background: {s.text}; }}
    """


def _names(s: Shades) -> str:
    """Widgets that have a name of their own."""
    return f"""
    QLabel#heading {{ color: {s.faint}; font-size: 11px; font-weight: 600; }}
    QLabel#faint {{ color: {s.faint}; }}
    QLabel#title {{ font-size: 15px; font-weight: 600; }}
    QLabel#timecode {{ color: {s.faint}; padding: 0 6px; }}
    QFrame#panel {{ border-left: 1px solid {s.line}; }}
    QFrame#transport {{ border-top: 1px solid {s.line}; }}
    QFrame#banner {{ background: {s.raised}; border: none; border-bottom: 1px solid {s.line}; }}
    QFrame#activity {{ background: {s.raised}; border-top: 1px solid {s.line}; }}
    """
