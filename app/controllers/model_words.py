"""Models in words: what one gives, what it cannot show, and its description."""

from __future__ import annotations

from dataclasses import fields

from app.ui.style import ViewMode
from app.ui.text_dialogs import as_code
from models.labels import JOINT_SETS, PART_SETS
from models.spec import ModelSpec
from runtime.engine.engine import Engine
from runtime.library.models import Bundle


def views_refused(engine: Engine) -> dict[ViewMode, str]:
    """Views that a model cannot give, each with the reason."""
    spec = engine.spec
    parts = spec.part_set is not None
    refused = {} if parts else {view: "finds no body parts" for view in ViewMode if view.needs_parts}
    if spec.joint_set is None:
        refused[ViewMode.INSTANCES] = "finds no people, only parts"
    return refused


def in_short(model: Bundle, ms: float) -> str:
    """Parts and joints that a model gives, its size, its time per frame where it ran, and its licence."""
    spec = model.spec
    sets = (f"{len(PART_SETS[spec.part_set].rows)} parts" if spec.part_set else "",
            f"{len(JOINT_SETS[spec.joint_set].names)} joints" if spec.joint_set else "")  # fmt: skip
    size = f"{model.bytes_on_disk / 1e6:.1f} MB"
    return " · ".join(w for w in (*sets, size, f"{ms:.0f} ms" if ms else "", spec.licence.split(";")[0]) if w)


def described(spec: ModelSpec) -> str:
    """The description in the model's files, as a table of Markdown."""
    rows = "\n".join(f"| {f.name} | {as_code(str(getattr(spec, f.name)))} |" for f in fields(spec))
    return f"## In its files\n\n| | |\n|---|---|\n{rows}"
