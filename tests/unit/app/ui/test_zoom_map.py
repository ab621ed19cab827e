"""The map of a zoomed picture."""

from __future__ import annotations

from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter

from app.ui.hud import zoom_map


def test_a_zoomed_picture_has_a_map_of_what_is_seen(qapp) -> None:
    def painted(picture: QRectF) -> QImage:
        image = QImage(400, 300, QImage.Format.Format_RGB32)
        image.fill(0xFF808080)
        painter = QPainter(image)
        zoom_map(painter, QRectF(0, 0, 400, 300), picture)
        painter.end()
        return image

    grey = painted(QRectF(0, 0, 400, 300))
    assert {grey.pixelColor(x, 280).lightness() for x in range(300, 400)} == {0x80}
    zoomed = painted(QRectF(-400, -300, 800, 600))  # the lower right quarter is seen
    left, top = 400 - 12 - 96, 300 - 12 - 72
    assert zoomed.pixelColor(left + 4, top + 4).lightness() < 0x80
    frame = [zoomed.pixelColor(left + 72, top + y).lightness() for y in range(32, 41)]
    assert max(frame) > 0xA0
