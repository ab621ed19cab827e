"""`xfactor parse --style`: words for the style of overlays."""

from __future__ import annotations

import pytest

from app.commands.parse import checked_style
from runtime.output.style import DisplayStyle, ViewMode


def test_words_make_a_style() -> None:
    style = checked_style("view=cut-out, opacity=0.4,hide=3+4,contours,no-joints,colour-blind")
    assert style == DisplayStyle(
        ViewMode.CUT_OUT,
        opacity=0.4,
        hidden=frozenset({3, 4}),
        contours=True,
        joints=False,
        colour_blind=True,
    )
    assert checked_style("") is None


@pytest.mark.parametrize("text", ["view=inside", "opacity=much", "hide=left", "blue", "hide"])
def test_other_words_are_refused(text) -> None:
    with pytest.raises(ValueError, match=f"not {text}"):
        checked_style(text)
