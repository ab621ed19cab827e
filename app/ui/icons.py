"""Icons: our own, as SVG paths on a 24x24 grid, drawn in the colour of the theme."""

from __future__ import annotations

from PyQt6.QtCore import QByteArray, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt6.QtSvg import QSvgRenderer

_FILL = {
    "play": "M8 5.5v13a.8.8 0 0 0 1.2.7l10.3-6.5a.8.8 0 0 0 0-1.4L9.2 4.8A.8.8 0 0 0 8 5.5z",
    "pause": "M7 5h3.2v14H7zM13.8 5H17v14h-3.2z",
    "back": "M15.5 6v12L8 12zM6 6h2v12H6z",
    "forward": "M8.5 6v12l7.5-6zM16 6h2v12h-2z",
    "start": "M18.5 6v12L11 12zM11.5 6v12L4 12zM3 6h1.5v12H3z",
    "end": "M5.5 6v12l7.5-6zM12.5 6v12l7.5-6zM19.5 6H21v12h-1.5z",
    "record": "M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12z",
    "stop": "M7 7h10v10H7z",
}
_LINE = {
    "loop": "M17 3.5l3 3-3 3M4 11.5v-1a4 4 0 0 1 4-4h12M7 20.5l-3-3 3-3M20 12.5v1a4 4 0 0 1-4 4H4",
    "snapshot": "M4 8h3.5l1.5-2.5h6L16.5 8H20v11H4zM12 10a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4z",
    "mirror": "M12 3v18M9 7L3.5 17.5H9zM15 7l5.5 10.5H15z",
    "eye": "M2.5 12S6 5.8 12 5.8 21.5 12 21.5 12 18 18.2 12 18.2 2.5 12 2.5 12zM12 9.3a2.7 2.7 0 1 0 0 5.4 "
    "2.7 2.7 0 0 0 0-5.4z",
    "eye-off": "M4 4l16 16M9.5 6.2A9 9 0 0 1 12 5.8c6 0 9.5 6.2 9.5 6.2a16 16 0 0 1-3 3.7M14.5 "
    "17.8a9 9 0 0 1-2.5.4"
    "C6 18.2 2.5 12 2.5 12a16 16 0 0 1 3-3.7",
    "film": "M3.5 5h17v14h-17zM8 5v14M16 5v14M3.5 9.5H8M3.5 14.5H8M16 9.5h4.5M16 14.5h4.5",
    "webcam": "M12 3.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM12 7.5a2.5 2.5 0 1 0 0 5 2.5 2.5 "
    "0 0 0 0-5zM8 20.5h8M12 16.5v4",
    "folder": "M3 6.5h6l2 2.5h10v10.5H3z",
    "example": "M12 4a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM12 10v6M12 11.5L7 9M12 11.5L17 9M12 16l-3.5 "
    "4.5M12 16l3.5 4.5",
    "drop": "M12 3.5v11M7.5 10l4.5 4.5 4.5-4.5M4 15.5v4.5h16v-4.5",
    "close": "M6 6l12 12M18 6L6 18",
    "info": "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 11v5.5M12 7.4v.2",
    "warning": "M12 4L2.8 19.5h18.4zM12 10v4.5M12 16.9v.2",
    "split": "M12 3v18M4 6h5M4 12h5M4 18h5M15 6h5v12h-5",
    "colour": "M12 3.5c4.7 0 8.5 3.4 8.5 7.6 0 3-2.3 4.3-4.5 4.3h-2.2c-1.5 0-2 1.5-1.2 2.6.7 1 "
    ".2 2.5-1.4 2.5"
    "-4.3 0-7.7-3.8-7.7-8.5S7.3 3.5 12 3.5z",
}
SIZE = 24


def pixmap(name: str, colour: QColor, side: int = SIZE, ratio: float = 2.0) -> QPixmap:
    """One icon as a picture of `side` logical pixels."""
    ink = colour.name()
    pen = f'fill="none" stroke="{ink}" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"'
    style = f'fill="{ink}"' if name in _FILL else pen
    path = _FILL.get(name) or _LINE[name]
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="{path}" {style}/></svg>'
    image = QPixmap(QSize(round(side * ratio), round(side * ratio)))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, side * ratio, side * ratio))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def icon(name: str, colour: QColor, on: QColor | None = None) -> QIcon:
    """An icon in one colour; `on` is the colour of a checked button."""
    made = QIcon(pixmap(name, colour))
    if on is not None:
        made.addPixmap(pixmap(name, on), QIcon.Mode.Normal, QIcon.State.On)
    faded = pixmap(name, colour)
    faded.fill(Qt.GlobalColor.transparent)
    painter = QPainter(faded)
    painter.setOpacity(0.35)
    painter.drawPixmap(0, 0, pixmap(name, colour))
    painter.end()
    made.addPixmap(faded, QIcon.Mode.Disabled)
    return made
