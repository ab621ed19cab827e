"""PersonLab as published (Papandreou et al., ECCV 2018): 1x1 convolutions on a ResNet, a grid of corners."""

from __future__ import annotations

from torch import Tensor, nn

from models.factored import INPUT_MEAN, INPUT_STD
from models.families import AUXILIARY, ZooRow
from models.labels import JOINT_SETS, JointSet
from models.personlab import Maps, PersonLab, PersonLabStage, Refinement, in_pixels, map_layers, start_maps
from models.resnet import FIFTH, FOURTH, ResNet

#: of RGB 0..1, by which pictures were normalised when the published ImageNet weights were trained
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PersonLabResNet(PersonLab):
    """A ResNet with the heads on conv5_x, and in training on conv4_x."""

    def __init__(self, joints: JointSet, depth: int, stride: int) -> None:
        super().__init__()
        self.backbone = ResNet(depth, stride)
        self.auxiliary = map_layers(FOURTH, joints)
        self.maps = map_layers(FIFTH, joints)
        self.refinement = Refinement(joints, stride)
        start_maps(self.auxiliary)
        start_maps(self.maps)

    def forward(self, x: Tensor) -> Maps:
        """Normalised images (b, 3, h, w) → refined maps by name; in training those of conv4_x beside them."""
        fourth, fifth = self.backbone(_as_imagenet(x))
        maps: Maps = self.refinement(in_pixels(self.maps, fifth))
        if not self.training:
            return maps
        step = -(-fourth.shape[2] // fifth.shape[2])  # at stride 32 every other cell: corners meet corners
        given = self.refinement(in_pixels(self.auxiliary, fourth[:, :, ::step, ::step]))
        return {**maps, **{AUXILIARY + n: m for n, m in given.items()}}

    def raw(self, x: Tensor) -> Maps:
        """See `PersonLab.raw`."""
        return in_pixels(self.maps, self.backbone(_as_imagenet(x))[1])

    def stages(self) -> dict[str, nn.Module]:
        """The whole network, without what is for training alone."""
        return {"network": PersonLabResNetStage(self).train(self.training)}

    def start(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """These weights, or new heads on the ImageNet weights of a ResNet, named as in torchvision."""
        if "conv1.weight" not in weights:
            return weights
        own = self.state_dict()
        kept = {k: v for k, v in own.items() if not k.startswith("backbone.") or k.endswith("_tracked")}
        return {**kept, **{f"backbone.{k}": v for k, v in weights.items() if not k.startswith("fc.")}}


class PersonLabResNetStage(PersonLabStage):
    """`image` → `disks`, `short`, `mid`, `long`, `person`, on a grid of corners."""


def _as_imagenet(x: Tensor) -> Tensor:
    """(rgb − mean) / std of this project → of ImageNet."""
    mean, std = (x.new_tensor(v)[:, None, None] for v in (IMAGENET_MEAN, IMAGENET_STD))
    return (x * INPUT_STD + INPUT_MEAN - mean) / std


def build(row: ZooRow) -> PersonLabResNet:
    """The network of a row."""
    return PersonLabResNet(JOINT_SETS[row.joints], row.depth, row.stride)
