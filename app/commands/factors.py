"""`xfactor factors`: list, show, add, remove."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from personalize.client import job_folders
from runtime.engine.sessions import read_model, sha256
from runtime.library.factors import FactorFile, user_factors
from runtime.library.models import find_model, list_models
from runtime.system.errors import Refusal, printable


def list_all() -> None:
    """A line per factor of the user's library."""
    found, unreadable = user_factors().factors(), user_factors().unreadable()
    if not found and not unreadable:
        Console(highlight=False).print(
            "The library is empty. `xfactor factors add FILE` puts a factor into it."
        )
        return
    table = Table("factor", "for", "made", "frames", "accepted", box=None, pad_edge=False)
    models = _models_by_trunk()
    for factor in found:
        card = factor.spec.card
        made, frames, accepted = ("", "", "")
        if card is not None:
            made, frames, accepted = card.created, str(card.frames), "yes" if card.accepted else "no"
        named = printable(factor.name), _made_for(factor, models)
        table.add_row(*(Text(c) for c in (*named, made, frames, accepted)))
    for refusal in unreadable:
        table.add_row(Text(refusal.what), Text(f"cannot be used: {refusal.reason}"))
    Console().print(table)


def show(name: str) -> None:
    """Origin of a factor, and the figures of its gate."""
    factor = user_factors().find(name)
    lines = {
        "factor": printable(factor.name),
        "lies in": printable(str(factor.path)),
        "for model": _made_for(factor, _models_by_trunk()),
        "for trunk": factor.trunk_sha256 or "it does not say",
    }
    if (card := factor.spec.card) is not None:
        lines |= {
            "made": card.created,
            "from clip": card.clip_sha256,
            "frames": str(card.frames),
            "person": printable(card.person) or "everybody in sight",
            "accepted": "yes" if card.accepted else "no: the gate found it no better",
            **{f"before {k}": f"{v:.4g}" for k, v in card.before.items()},
            **{f"after {k}": f"{v:.4g}" for k, v in card.after.items()},
        }
    console = Console(highlight=False)
    for title, value in lines.items():
        console.print(Text(f"{title:16s} {value}"), soft_wrap=True)


def add(file: Path, name: str, model: str) -> None:
    """Copy a factor into the user's library; it is tried first on the model it was made for.

    Raises:
        Refusal: it is refused, or the name is taken.
    """
    bundle = find_model(model)
    trunk = bundle.files.get("trunk")
    if trunk is None:
        raise Refusal(
            f"model {bundle.name}", "it has no factor to replace", "Choose a factored model with --model"
        )
    factor = user_factors().add(file, read_model(trunk), name)
    Console(highlight=False).print(Text(f"{factor.name} is in {factor.path}"), soft_wrap=True)


def remove(name: str) -> None:
    """Delete a factor from the user's library.

    Raises:
        Refusal: there is none.
    """
    job_folders.delete_factor(name)
    Console(highlight=False).print(Text(f"{name} is removed"), soft_wrap=True)


def undo(name: str, generation: int | None) -> None:
    """Use an earlier generation of a factor again.

    Raises:
        Refusal: there is none.
    """
    library = user_factors()
    factor = library.roll_back(name, generation)
    earlier = ", ".join(str(g.number) for g in library.generations(name))
    made = f"the factor of {factor.spec.card.created}" if factor.spec.card else "an earlier generation"
    words = f"{factor.name} is {made} again; other generations: {earlier}"
    Console(highlight=False).print(Text(words), soft_wrap=True)


def _models_by_trunk() -> dict[str, str]:
    """SHA-256 of the trunk → name of every installed model that has one."""
    return {sha256(read_model(m.files["trunk"])): m.name for m in list_models() if "trunk" in m.files}


def _made_for(factor: FactorFile, models: dict[str, str]) -> str:
    """The model a factor belongs to; its trunk's hash where that model is not installed."""
    return models.get(factor.trunk_sha256) or f"trunk {factor.trunk_sha256[:12] or 'not named'}"
