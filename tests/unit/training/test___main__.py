"""The command that trains: arguments, starting weights, what it writes and says."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.checkpoint import load_checkpoint, load_network, save_network
from models.families import ZOO
from models.network import build
from tests.unit.training.test_own_photos import own
from training.__main__ import main
from training.batches import BACKGROUNDS
from training.loop import LAST

NO_DATA = "no training data"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("pil-small --keep fusion", "--keep and --only take their layers from a checkpoint: give --init"),
        ("pil-small --only fusion", "--keep and --only take their layers from a checkpoint: give --init"),
        ("pil-small --recipe paf_fcn_report",
         "--recipe paf_fcn_report is not of pil-small's family; leave it out for the usual one"),
        ("factored-s31 --agg-bn-recalibrate 3", NO_DATA),
        ("baseline --agg-bn-recalibrate 3",
         "--agg-bn-recalibrate: baseline has no aggregation module; leave it out"),
        ("factored-s31 --rendered-share 1.01", "--rendered-share takes a share from 0 to 1, not 1.01"),
        ("factored-s31 --rendered-share 2", "--rendered-share takes a share from 0 to 1, not 2"),
        ("factored-s31 --rendered-share -0.01", "--rendered-share takes a share from 0 to 1, not -0.01"),
        ("factored-s31 --rendered-share 1", NO_DATA),
        ("factored-s31 --rendered-share 0", NO_DATA),
        ("factored-s31 --own-share 0", "--own-share takes a weight above 0, not 0"),
        ("factored-s31 --own-share -1", "--own-share takes a weight above 0, not -1"),
        ("factored-s31 --own-share 0.01", NO_DATA),
        ("factored-s31 --data nobody=x", "nobody"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_go_together_are_refused_with_the_remedy(
    words: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that do go together are seen by what is missing then: data."""
    try:
        code = main([*words.split(), "--out", str(tmp_path / "run")])
    except SystemExit as e:
        code = e.code
    assert code == (1 if said == NO_DATA else 2)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run" / LAST).exists()


def test_help_has_the_defaults_of_the_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for row, steps, side in (("pil-small", 8000, 256), ("paf-fcn-small", 12000, 320)):
        with pytest.raises(SystemExit):
            main([row, "--help"])
        words = " ".join(capsys.readouterr().out.split())
        assert f"defaults are those of {row}" in words
        assert f"--steps STEPS default {steps}" in words
        assert f"side of the training pictures, px; default {side}" in words
    monkeypatch.setattr(sys, "argv", ["xfactor train", "paf-fcn-small", "--help"])
    with pytest.raises(SystemExit):
        main()
    assert "defaults are those of paf-fcn-small" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("steps", "warm"), [(9, 0), (21, 2)])
def test_a_short_run_warms_up_over_a_tenth(tmp_path: Path, steps: int, warm: int) -> None:
    run = ["--own", str(own(tmp_path / "own", 1)), "--batch", "1", "--crop", "32", "--steps", str(steps)]
    assert (
        main(["factored-s31", *run, "--own-share", ".5", "--out", str(tmp_path / "run"), "--seed", "3"]) == 0
    )
    meta = load_checkpoint(tmp_path / "run" / LAST)[1]
    assert (meta["config"]["steps"], meta["config"]["warmup_steps"], meta["config"]["seed"]) == (
        steps,
        warm,
        3,
    )
    assert (meta["step"], meta["images"], meta["crop"], meta["mixture"]["own"]) == (steps, steps, 32, 0.5)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"conv1.weight": torch.zeros(64, 3, 7, 7)}, "another architecture"),
        (b"\x80\x04pickle", "never loaded"),
        (None, "no such file"),
    ],
)
def test_weights_that_cannot_be_started_from_are_refused_in_words(
    content: dict[str, torch.Tensor] | bytes | None, reason: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "start.safetensors"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        save_file(content, path)
    assert (
        main(["personlab-resnet50", "--init", str(path), "--out", str(tmp_path / "o"), "--steps", "1"]) == 2
    )
    assert reason in capsys.readouterr().err


def test_a_checkpoint_that_fits_nowhere_is_no_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, parser = tmp_path / "enet.safetensors", tmp_path / "parser.safetensors"
    save_network(other, ZOO["enet-relu"], build(ZOO["enet-relu"]), {})
    save_network(parser, ZOO["factored-s31"], build(ZOO["factored-s31"]), {})
    run = ["pil-small", "--out", str(tmp_path / "run"), "--steps", "1"]
    assert main([*run, "--init", str(other)]) == 2
    assert "no weight of it fits this network" in capsys.readouterr().err
    assert main([*run, "--init", str(parser), "--keep", "pose_encoder", "fusion.adapter"]) == 2
    assert "no weight of it fits fusion.adapter" in capsys.readouterr().err
    assert main([*run, "--init", str(parser)]) == 2, "for want of data, not of weights"
    assert "no weight of it fits" not in capsys.readouterr().err


def rendered_alone(folder: Path) -> list[str]:
    """Arguments of a run on rendered people alone, two of them and one background."""
    np.save(folder / "set.images.npy", np.full((2, 64, 64, 3), 90, np.uint8))
    np.save(folder / "set.labels.npy", np.full((2, 64, 64), 3, np.uint8))
    for kind in BACKGROUNDS:
        (folder / "data" / "backgrounds" / kind).mkdir(parents=True)
        cv2.imwrite(str(folder / "data" / "backgrounds" / kind / "a.jpg"), np.full((80, 80, 3), 30, np.uint8))
    run = ["--data", str(folder / "data"), "--synthetic", str(folder / "set"), "--rendered-share", "1"]
    return ["pil-small", "--out", str(folder / "run"), *run, "--batch", "1", "--crop", "64"]


def test_layers_alone_are_taken_and_go_on_learning_from_rendered_people(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    given, run = tmp_path / "given.safetensors", rendered_alone(tmp_path)
    torch.manual_seed(5)
    net = build(ZOO["pil-small"])
    save_network(given, ZOO["pil-small"], net, {})
    start = ["--init", str(given), "--only", "fusion.adapter", "--lr", "1e-5"]
    assert main([*run, *start, "--steps", "1", "--no-bf16"]) == 0
    learned, before = load_network(tmp_path / "run" / LAST)[0].state_dict(), net.state_dict()
    one, other = "fusion.adapter.enter.weight", "pose_encoder.project.0.weight"
    assert not torch.equal(learned[one], before[one])
    assert torch.allclose(learned[one], before[one], atol=1e-3)
    assert not torch.allclose(learned[other], before[other], atol=1e-3)
    caplog.clear()
    assert main([*run, "--init", str(tmp_path / "typo"), "--steps", "2", "--no-bf16"]) == 0
    assert "goes on from step 1" in caplog.text
    assert "typo is not read: --init starts new runs" in caplog.text
    assert "'parts': " in caplog.text, "the loss, though the run is short"
    assert f"Next: xfactor export {tmp_path / 'run' / LAST} --out DIR" in caplog.text


def test_a_packed_set_is_no_source_of_scenes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = rendered_alone(tmp_path)[1:]
    assert main(["paf-fcn-small", *run]) == 2
    assert "xfactor synth --count N --out DIR" in capsys.readouterr().err
