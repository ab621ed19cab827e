"""`xfactor parse --style`: words for the style of overlays."""

from __future__ import annotations

import pytest

from app.commands.parse import checked_style
from runtime.output.style import DisplayStyle, ViewMode


def test_words_make_a_style() -> None:
    style = checked_style(
        "view=cut-out, opacity=0.4,hide=3+4,contours,no-joints,colour-blind", "factored-s31"
    )
    assert style == DisplayStyle(
        ViewMode.CUT_OUT,
        opacity=0.4,
        hidden=frozenset({3, 4}),
        contours=True,
        joints=False,
        colour_blind=True,
    )
    assert checked_style("", "none") is None


@pytest.mark.parametrize(
    "text",
    ["view=inside", "opacity=much", "hide=left", "blue", "hide", "opacity=7", "opacity=-0.1", "opacity=nan"],
)
def test_other_words_are_refused(text) -> None:
    with pytest.raises(ValueError, match=f"not {text}"):
        checked_style(text, "factored-s31")


@pytest.mark.parametrize(
    ("model", "hidden", "has"),
    [
        ("factored-s31", "99", "from 1 to 31"),
        ("factored-s31", "0+3", "from 1 to 31"),
        ("mula-small", "7", "from 1 to 6"),
        ("personlab-small", "1", "no parts"),
    ],
)
def test_parts_that_the_model_lacks_are_refused(model: str, hidden: str, has: str) -> None:
    with pytest.raises(ValueError, match=has) as refused:
        checked_style(f"hide={hidden}", model)
    assert str(refused.value).endswith(f"not {hidden}")
