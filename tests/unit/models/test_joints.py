"""The network for joints: its trunk stays, its head learns, and both start from a Factored ConvNet."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.checkpoint import load_network
from models.factored import FactoredConvNet, normalise
from models.joints import JointsNet
from tests.networks import seasoned
from training.__main__ import main as train
from training.photos import DEVELOPMENT_TEST, GARMENTS

SHIPPED = "assets/checkpoints/factored-s31.safetensors"


def photos(root: Path) -> Path:
    """One grey picture for training in every folder that is read."""
    grey = np.full((64, 48, 3), 128, np.uint8)
    rows = [[20 + 2 * i, 10 + 3 * i, 2] for i in range(14)]
    landmarks = {"landmarks": [[20 + i, 30 + i, 0.9] for i in range(33)]}
    for name in ("lsp", "lspet", "ccp", "ccp_unlabelled", "teacher"):
        (root / name / "images").mkdir(parents=True)
    for name in ("lsp", "lspet", "ccp", "ccp_unlabelled"):
        stems = [f"{i:03}" for i in range(DEVELOPMENT_TEST + 1 if name in ("lsp", "ccp") else 1)]
        for stem in stems:
            folder = root / name / ("images" if name != "ccp_unlabelled" else ".")
            cv2.imwrite(str(folder / f"{stem}.jpg"), grey)
            for kind in ("labels", "silhouettes") if name == "ccp" else ():
                (root / name / kind).mkdir(exist_ok=True)
                cv2.imwrite(str(root / name / kind / f"{stem}.png"), grey[..., 0] // 128)
        (root / name / "keypoints.json").write_text(json.dumps({"images": dict.fromkeys(stems, rows)}))
        (root / name / "labels.json").write_text(json.dumps(["none", "skin", *GARMENTS]))
        (root / "teacher" / name).mkdir()
        (root / "teacher" / name / "landmarks.json").write_text(
            json.dumps({"images": dict.fromkeys(stems, landmarks)})
        )
    for kind in ("indoor", "outdoor", "mixed"):
        (root / "backgrounds" / kind).mkdir(parents=True)
        cv2.imwrite(str(root / "backgrounds" / kind / "a.jpg"), grey)
    return root


def test_training_moves_the_head_and_leaves_trunk_and_its_statistics() -> None:
    torch.manual_seed(0)
    net = JointsNet().train()
    before = copy.deepcopy(net.state_dict())
    optimiser = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
    net(torch.randn(2, 3, 64, 64)).square().mean().backward()
    optimiser.step()
    moved = {k for k, v in net.state_dict().items() if not torch.equal(v, before[k])}
    assert moved
    assert all(k.startswith("head.") for k in moved)
    assert all(f"head.{k}" in moved for k in ("classify.weight", "project.1.running_mean"))


def test_it_begins_with_hardly_any_joint() -> None:
    torch.manual_seed(0)
    classify = JointsNet(16).head.classify
    assert classify.bias is not None
    assert classify.bias.tolist() == [-5] * 16
    assert classify.weight.std().item() == pytest.approx(0.01, rel=0.1)


def test_it_starts_as_the_head_of_parts_that_is_told_a_person_is_everywhere() -> None:
    torch.manual_seed(0)
    factored, net = seasoned(FactoredConvNet()), JointsNet().eval()
    net.load_state_dict(net.start(factored.state_dict()))
    x = normalise(torch.rand(1, 3, 64, 96) * 255)
    with torch.no_grad():
        features = factored.trunk(x)
        person = torch.ones(1, 1, 8, 12)
        both = torch.cat((features, person, 1 - person), dim=1)
        expected = factored.head.stage(factored.head.concat(both))
        assert torch.allclose(net.head.stage(net.head.project(net.trunk(x))), expected, atol=1e-4)
    own = net.state_dict()
    assert all(torch.equal(v, own[k]) for k, v in net.start(own).items()), "its own weights are no other's"


@pytest.mark.slow
def test_the_command_trains_it_from_its_row(tmp_path: Path) -> None:
    """Photos on the disk to a checkpoint of the row, from the shipped trunk."""
    data = photos(tmp_path / "data")
    arguments = ["joints-s31", "--out", str(tmp_path / "run"), "--data", str(data), "--init", SHIPPED]
    size = ["--batch", "2", "--crop", "64", "--steps", "3", "--decay-steps", "1"]
    assert train([*arguments, *size]) == 0
    trunk = load_network(Path(SHIPPED))[0].get_submodule("trunk").state_dict()
    network, meta = load_network(tmp_path / "run" / "last.safetensors")
    assert isinstance(network, JointsNet)
    assert (meta["row"], meta["step"]) == ("joints-s31", 3)
    assert all(torch.equal(v, trunk[k]) for k, v in network.trunk.state_dict().items())
