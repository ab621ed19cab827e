"""Arguments of the commands that score people: the model, its sizes and its decoder's settings."""

from __future__ import annotations

import argparse
from dataclasses import replace

from models.codecs.affinity_fields import AffinityFieldsCodec, LimbAssembly
from models.codecs.decoding import Decoding
from models.codecs.person_centres import CentreGrouping, PersonCentresCodec
from models.codecs.personlab import PersonLabCodec
from models.codecs.registry import CODECS
from models.outputs import AffinityFields, CentreOffsets, JointDisks
from runtime.engine.augmentation import Views, chosen
from runtime.engine.engine import Engine, load_engine
from runtime.engine.letterbox import NetworkSize
from runtime.system.errors import Refusal


def add_arguments(p: argparse.ArgumentParser) -> None:
    """The model and what the paper's ablations change."""
    p.add_argument("model", help="name or folder of a model that finds people")
    shown = p.add_mutually_exclusive_group()
    shown.add_argument("--size", help="of the network's input (default: the model's own)")
    shown.add_argument("--scales", help="longer sides of a pyramid, px: 601,1201,1801,2401 are the paper's")
    p.add_argument("--views", choices=("1", "2", "6"), default="1", help="as in parse; not with --scales")
    p.add_argument("--scoring", choices=("expected-oks", "hough"), default="expected-oks", help="of joints")
    p.add_argument("--nms", choices=("soft", "hard"), default="soft", help="of people")
    p.add_argument("--no-refinement", action="store_true", help="offsets as the network gives them")
    p.add_argument("--proposals", type=int, default=20, metavar="N", help="the most people of a picture")


def engine_of(a: argparse.Namespace) -> Engine:
    """The engine that the arguments describe.

    Raises:
        Refusal: the model or a size cannot be used, or it finds no people.
    """
    size, views = NetworkSize.parse(a.size) if a.size else None, chosen(a.views, video=False)
    if a.scales:
        size, views = pyramid(a.scales)
    if a.proposals < 1:
        raise Refusal(f"--proposals {a.proposals}", "at least one person must be kept", "leave it out for 20")
    engine = load_engine(a.model, device="auto", size=size)
    decoding = Decoding(
        scoring=a.scoring, nms=a.nms, refinement=not a.no_refinement, keep=a.proposals
    )  # fmt: skip
    return decoded_by(engine.with_views(views), decoding)


def decoded_by(engine: Engine, decoding: Decoding) -> Engine:
    """The same model with other settings of PersonLab's decoder; of others the number of people.

    Raises:
        Refusal: the model finds no people.
    """
    kinds = {type(o) for o in engine.spec.outputs}
    if AffinityFields in kinds:
        codec = AffinityFieldsCodec(LimbAssembly(keep=decoding.keep))
        return replace(engine, codecs={**CODECS, AffinityFields: codec})
    if CentreOffsets in kinds:
        grouping = CentreGrouping(keep=decoding.keep)
        return replace(engine, codecs={**CODECS, CentreOffsets: PersonCentresCodec(grouping)})
    if JointDisks not in kinds:
        raise Refusal(f"model {engine.name}", "it does not tell people apart", "choose personlab-small")
    return replace(engine, codecs={**CODECS, JointDisks: PersonLabCodec(decoding)})


def pyramid(scales: str) -> tuple[NetworkSize, Views]:
    """Longer sides in px → the largest, on whose grid the maps are merged, and all as views.

    Raises:
        Refusal: they are not sizes.
    """
    sides = sorted({NetworkSize.parse(s).width for s in scales.split(",")}, reverse=True)
    return NetworkSize(sides[0]), Views(tuple(s / sides[0] for s in sides))
