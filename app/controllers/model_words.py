"""Models in words: what one gives, what it cannot show, and its description."""

from __future__ import annotations

from app.ui.text_dialogs import as_code
from app.ui.translation import tr
from models.labels import JOINT_SETS, PART_SETS
from models.spec import ModelSpec
from runtime.engine.engine import Engine
from runtime.library.models import Bundle
from runtime.output.style import ViewMode

UNSTATED = "not stated"  # what `xfactor export` writes where nobody told


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
    sets = (tr(f"{len(PART_SETS[spec.part_set].rows)} parts") if spec.part_set else "",
            tr(f"{len(JOINT_SETS[spec.joint_set].names)} joints") if spec.joint_set else "")  # fmt: skip
    licence = tr("licence not stated") if spec.licence == UNSTATED else spec.licence.split(";")[0]
    size = f"{model.bytes_on_disk / 1e6:.1f} MB"
    return " · ".join(w for w in (*sets, size, f"{ms:.0f} ms" if ms else "", licence) if w)


def described(spec: ModelSpec) -> str:
    """The description in the model's files, as a table of Markdown."""
    height, width = spec.input_size
    rows = [
        *(
            ("stage", f"{s.name}: {', '.join(s.inputs)} → {', '.join(o.name for o in s.outputs)}")
            for s in spec.stages
        ),
        ("input", f"{width} × {height} px, sides of multiples of {spec.size_multiple}"),
        ("preprocessing", spec.preprocessing),
        ("activation", spec.activation),
        ("parameters", f"{spec.parameters:,}".replace(",", " ")),
        ("licence", spec.licence),
        *((f"trained on {n}", f"{t.name} ({t.licence})") for n, t in enumerate(spec.training_data, 1)),
        ("format", str(spec.format)),
    ]
    table = "\n".join(f"| {tr(name)} | {as_code(tr(words))} |" for name, words in rows)
    return f"## {tr('In its files')}\n\n| {as_code(spec.name)} | |\n|---|---|\n{table}"
