"""MuLA: parsing and pose adapt each other's features in every stage by kernels predicted from the picture.

Nie, Feng, Yan: Mutual Learning to Adapt for Joint Human Parsing and Pose Estimation, ECCV 2018 (methods §6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from models.blocks import activation, encoder, init_weights, norm, stage128
from models.factored import FEATURES
from models.families import Activation, MutualLearning, ZooRow, early_name
from models.hourglass import HourglassShape, HourglassStage, HourglassStem, StageInput
from models.joints import PRIOR_LOGIT, without_person
from models.labels import JOINT_SETS
from models.network import Network
from models.parameter_adapter import AdaptiveConvolution, ParameterAdapter, begin_as_averages
from models.pil import KERNEL, VGG_KERNEL, PartsAndJointsStage
from models.vgg import VGG_FEATURES, vgg16_fcn

Layers = Callable[[], nn.Module]
SMALL_KERNEL = 5  #: cells of 8 px: 40 px, as the paper's 7 of 4 px and the classifier's reach round them
FAINT = 0.1  #: initial weight of the adapted features beside those of a trained encoder


@dataclass(frozen=True)
class MulaShape:
    """Sizes of a network."""

    channels: int  #: of every representation
    maps: tuple[int, int]  #: number of part classes, and of heat maps
    kernel: int = KERNEL  #: side of the predicted kernels
    normed: bool = True  #: a norm stands behind the adaptive convolutions
    linear: bool = False  #: heat maps are regressed as they are, not as logits


class TaskStage(nn.Module):
    """Layers of one task in one stage; the adapter predicts kernels for the other task."""

    def __init__(
        self, encode: nn.Module, shape: MulaShape, maps: int, onward: StageInput | None, *, adapts: bool,
        adapted: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.encode, self.onward = encode, onward
        self.adapter = ParameterAdapter(shape.channels, shape.kernel) if adapts else None
        self.convolve = AdaptiveConvolution(shape.channels, norm=shape.normed) if adapted else None
        self.classify = nn.Conv2d(shape.channels, maps, 1)


class MulaStage(nn.Module):
    """Both tasks in one stage (Eq. 1-7); the next is shown refined features in the paper alone."""

    def __init__(self, parsing: TaskStage, pose: TaskStage, *, paper: bool) -> None:
        super().__init__()
        self.parsing, self.pose, self.paper = parsing, pose, paper

    def forward(self, inputs: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs of parsing and pose → their predictions, and their inputs of the next stage."""
        tasks = (self.parsing, self.pose)
        features = [task.encode(x) for task, x in zip(tasks, inputs, strict=True)]
        predictions, behind = [], []
        for i, (task, x, own) in enumerate(zip(tasks, inputs, features, strict=True)):
            other, others = tasks[1 - i], features[1 - i]
            refined = own
            if task.convolve is not None and other.adapter is not None:
                refined = own + task.convolve(own, other.adapter(others))
            predictions.append(task.classify(refined))
            if task.onward is not None:
                behind.append(task.onward(x, refined if self.paper else own, predictions[-1]))
        return predictions, behind


class MulaNet(Network):
    """Stems of parsing and pose, and stages in which each adapts the other.

    `encoders` go from the input of each stage to its representation, of as many channels.
    """

    def __init__(
        self, stem: Layers, encoders: Sequence[Layers], shape: MulaShape, mutual: MutualLearning
    ) -> None:
        super().__init__()
        self.linear = shape.linear
        self.stems = nn.ModuleDict({"parsing": stem(), "pose": stem()})
        paper, c = mutual.form == "paper", shape.channels
        adapted = [mutual.direction in ("both", way) for way in ("pose-to-parsing", "parsing-to-pose")]
        self.mutual = nn.ModuleList()
        for i, encode in enumerate(encoders, start=1):
            tasks = []
            for task, maps in enumerate(shape.maps):
                onward = StageInput(c, (maps,), identity=not paper) if i < len(encoders) else None
                how = {"adapts": adapted[1 - task], "adapted": adapted[task]}
                tasks.append(TaskStage(encode(), shape, maps, onward, **how))
            self.mutual.append(MulaStage(*tasks, paper=paper))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Normalised images (b, 3, h, w) → `parts` (logits), `heatmaps`; in training of all stages."""
        inputs = [self.stems["parsing"](x), self.stems["pose"](x)]
        maps: dict[str, Tensor] = {}
        for i, stage in enumerate(self.mutual, start=1):
            predictions, inputs = stage(inputs)
            last = i == len(self.mutual)
            for name, prediction in zip(("parts", "heatmaps"), predictions, strict=True):
                if last or self.training:
                    maps[name if last else early_name(i, name)] = prediction
        return maps

    def stages(self) -> dict[str, nn.Module]:
        """The whole network."""
        return {"network": PartsAndJointsStage(self, linear=self.linear).train(self.training)}

    def start(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """This network's weights with those of another `MulaNet` that fit, or of smaller networks.

        A `FactoredConvNet` gives both tasks its trunk and its head's stage, a `JointsNet` gives them to the
        pose, with its classifier. What is adapted comes in faintly, so that both are found as they were.
        """
        given = weights
        if "head.concat.0.weight" in weights:
            plain = without_person(weights)
            given = self._from_trunk(plain, "parsing") | self._from_trunk(plain, "pose")
        elif "head.project.0.weight" in weights:
            given = self._from_trunk(weights, "pose")
        return self.fitting(given)

    def _from_trunk(self, weights: dict[str, Tensor], task: str) -> dict[str, Tensor]:
        """Weights of a task of two stages from a trunk of eight blocks, `head.project`, stage, classifier."""
        first, last = f"mutual.0.{task}.", f"mutual.{len(self.mutual) - 1}.{task}."
        places = {
            "trunk.7.": f"{first}encode.",
            "trunk.": f"stems.{task}.",
            "head.project.0.": f"{first}onward.from_features.",
            "head.project.1.": f"{last}encode.0.",
            "head.stage.": f"{last}encode.2.",
            "head.classify.": f"{last}classify.",
        }
        found = ((k, v, next((old for old in places if k.startswith(old)), "")) for k, v in weights.items())
        return {places[old] + k.removeprefix(old): v for k, v, old in found if old}


def build(row: ZooRow) -> MulaNet:
    """The network of a row; its encoders are `factored`, `vgg16` or `hg-1s-nu`."""
    kind, stages = row.encoders[0], row.mutual.stages
    linear = kind != "factored"  # the papers' heat maps have one of the background
    maps = row.part_set.classes, len(JOINT_SETS[row.joints].names) + linear
    if not linear:
        return _small(row.activation, MulaShape(FEATURES, maps, SMALL_KERNEL), row.mutual)
    if kind == "vgg16":
        shape = MulaShape(VGG_FEATURES, maps, VGG_KERNEL, normed=False, linear=True)
        net = MulaNet(vgg16_fcn, [nn.Identity] * stages, shape, row.mutual)
    else:
        hourglass = HourglassShape(int(kind.removeprefix("hg-1s-").removesuffix("u")))
        return of_hourglasses(hourglass, maps, row.mutual)
    init_weights(net)
    return net


def of_hourglasses(shape: HourglassShape, maps: tuple[int, int], mutual: MutualLearning) -> MulaNet:
    """Networks with one hourglass of a task in each stage.

    With random kernels, as large as the features that they come from, each stage would square these, and past
    the third nothing be finite.
    """
    sizes, encoders = MulaShape(shape.channels, maps, linear=True), [lambda: HourglassStage(shape)]
    net = MulaNet(lambda: HourglassStem(shape.channels, shape.form), encoders * mutual.stages, sizes, mutual)
    init_weights(net)
    begin_as_averages(net, sizes.kernel)
    return net


def _small(act: Activation, shape: MulaShape, mutual: MutualLearning) -> MulaNet:
    """Stems and stages like the Factored ConvNet's trunk and head, small enough for live pictures."""

    def later() -> nn.Module:
        return nn.Sequential(norm(FEATURES), activation(act, FEATURES), stage128(act))

    encoders: list[Layers] = [lambda: stage128(act), *[later] * (mutual.stages - 1)]
    net = MulaNet(lambda: nn.Sequential(*encoder(act)), encoders, shape, mutual)
    init_weights(net)
    for name, parameter in net.named_parameters():
        if name.endswith("classify.weight"):
            nn.init.normal_(parameter, std=0.01)
        elif name.endswith("pose.classify.bias"):
            nn.init.constant_(parameter, PRIOR_LOGIT)
        elif "from_predictions" in name:
            nn.init.zeros_(parameter)
        elif name.endswith("convolve.u.1.weight"):
            nn.init.constant_(parameter, FAINT)
    return net
