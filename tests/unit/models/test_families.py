"""Every row of the zoo: what its files are called, take and give, and how many weights it has."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.families import ZOO, Family, MutualLearning, early_name, find_row
from models.grid import Grid
from models.network import build
from models.outputs import Heatmaps, JointDisks, Output

TRUNK = "trunk image: features 128/8"
FACTOR = "factor features: person 1/8"
HEAD = "head features person: parts 32/8 labels 1/8"
PARTS = "network image: parts 32/8 labels 1/8"
VECTORS = "disks 17/8 r16 short 34/8 mid 64/8 long 34/8"
RESNET = ("network image: disks 17/16+ r32 short 34/16+ mid 64/16+ long 34/16+ person 1/16+",)
LIMBS = "heatmaps 18/8 s1 + background affinity_fields 32/8"
SMALL = "network image: parts 7/8 labels 1/8 heatmaps 17/8 s1"
VGG = "network image: parts 7/8 labels 1/8 heatmaps 17/8 s0.875 + background"
HOURGLASS = "network image: parts 7/4 labels 1/4 heatmaps 17/4 s1.75 + background (of 64)"
FILES = {
    "factored": (TRUNK, FACTOR, HEAD),
    "people": (TRUNK, FACTOR, HEAD, f"people features parts: {VECTORS}"),
    "baseline": (PARTS,),
    "enet": (PARTS,),
    "joints": ("network image: heatmaps 17/8 s1",),
    "personlab-small": (f"network image: {VECTORS} person 1/8",),
    "personlab-resnet": RESNET,
    "paf-fcn-small": (f"network image: parts 7/8 labels 1/8 {LIMBS}",),
    "paf-fcn-vgg16": (
        "network image: parts 7/8 labels 1/8 heatmaps 15/8 s1 + background affinity_fields 26/8",
    ),
    "pil-small": (SMALL,),
    "pil-vgg16": (VGG,),
    "pil-hg2": (HOURGLASS,),
    "pil-hg2-lip": (HOURGLASS.replace("parts 7", "parts 20"),),
    "mula-small": (SMALL,),
    "mula-vgg16": (VGG,),
    "mula-hg5": (HOURGLASS,),
    "mula-hg5-lip": (HOURGLASS.replace("parts 7", "parts 20"),),
    "gpn-small": ("network image: heatmaps 18/8 s0.875 + background centres 34/8",),
    "gpn-hg8": ("network image: heatmaps 17/4 s1.75 + background centres 32/4 (of 64)",),
}


def in_words(output: Output) -> str:
    """Name, channels and stride; `+` on corners, the radius of disks and the deviation of heat maps."""
    words = f"{output.name} {output.channels}/{output.stride}{'+' * (output.grid is Grid.CORNER)}"
    if isinstance(output, JointDisks):
        words += f" r{output.radius_px:g}"
    if isinstance(output, Heatmaps):
        words += f" s{output.sigma:g}" + " + background" * output.background
    return words


@pytest.mark.parametrize("name", ZOO)
def test_a_row_becomes_the_files_of_its_family(name: str) -> None:
    found = tuple(
        f"{s.name} {' '.join(s.inputs)}: {' '.join(map(in_words, s.outputs))}"
        + (f" (of {s.multiple})" if s.multiple != 32 else "")
        for s in ZOO[name].stages
    )
    assert found == FILES[max((k for k in FILES if name.startswith(k)), key=len)]


@pytest.mark.parametrize("name", ZOO)
def test_a_row_says_how_many_weights_its_network_has(name: str) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in build(ZOO[name]).parameters()) == ZOO[name].parameters


def test_variants_differ_from_the_network_that_they_are_compared_with() -> None:
    assert {name for name, row in ZOO.items() if row.variant} == {
        "factored-s31-paper-plain", "pil-hg2-lip", "mula-hg5-lip",
        *(f"pil-small-{way}" for way in ("base", "add", "multi", "concat", "mtl", "self")),
        *(f"mula-small-{way}" for way in ("parsing-to-pose", "pose-to-parsing", "none")),
    }  # fmt: skip
    mutual = {name: row.mutual for name, row in ZOO.items() if row.family == "mula"}
    assert {name: (m.stages, m.form) for name, m in mutual.items()} == {
        **dict.fromkeys(("mula-small", "mula-small-parsing-to-pose", "mula-small-pose-to-parsing",
                         "mula-small-none"), (2, "paper")),
        **dict.fromkeys(("mula-hg5", "mula-hg5-lip"), (5, "release")), "mula-vgg16": (1, "release"),
    }  # fmt: skip
    for way in ("parsing-to-pose", "pose-to-parsing", "none"):
        assert ZOO[f"mula-small-{way}"].mutual == MutualLearning(2, way, "paper")  # type: ignore[arg-type]
    assert {ZOO[name].mutual.direction for name in ("mula-small", "mula-hg5", "mula-vgg16")} == {"both"}


def test_a_row_without_a_name_is_the_first_of_its_family_and_activation() -> None:
    asked = (("factored", "relu"), ("factored", "prelu"), ("baseline", "relu"), ("enet", "prelu"))
    rows = [find_row(*kind) for kind in asked]
    assert [row and row.name for row in rows] == [
        "factored-s31",
        "factored-s31-paper",
        "baseline-relu",
        "enet",
    ]
    assert find_row("joints", "prelu") is None


def test_a_network_has_its_own_stride_and_one_on_a_resnet_any() -> None:
    row = ZOO["personlab-resnet50"]
    assert row.at_stride(8) == replace(row, stride=8)
    assert {o.stride for o in row.at_stride(8).stages[0].outputs} == {8}
    assert ZOO["gpn-hg8"].at_stride(4) == ZOO["gpn-hg8"]
    for stride in (4, 16):
        with pytest.raises(ValueError, match=r"^joints-s31 has output stride 8; only ResNets have others$"):
            ZOO["joints-s31"].at_stride(stride)
    for other in (r for r in ZOO.values() if r.family != "personlab-resnet"):
        with pytest.raises(ValueError, match="only ResNets have others"):
            other.at_stride(64)


def test_rows_and_families_are_values() -> None:
    assert early_name(2, "parts") == "stage2_parts"
    for value in (ZOO["enet"], MutualLearning(), Family("models.enet:build", lambda row: row.stages)):
        with pytest.raises(AttributeError):
            value.name = "other"  # type: ignore[misc, union-attr]
