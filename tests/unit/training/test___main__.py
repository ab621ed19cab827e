"""The command that trains: what its words mean, what it refuses, and what it ends with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.checkpoint import load_network, save_network
from models.families import ZOO
from models.network import build
from training import __main__ as command
from training import distributed
from training.__main__ import main
from training.batches import BACKGROUNDS, DataFolders, batches_for
from training.loop import LAST, DivergedError, State, TrainConfig
from training.stream import BatchShape, Mixture, Stream
from training.workers import WorkerStream

CPU = torch.device("cpu")
ROW = ZOO["enet-relu"]


class Begun:
    """What the loop is given, in place of a training."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def __call__(
        self, state: State, config: TrainConfig, stream: Stream | WorkerStream, out: Path,
        facts: dict[str, Any], device: torch.device, processes: tuple[int, int],
    ) -> None:  # fmt: skip
        self.state, self.config, self.stream, self.out = state, config, stream, out
        self.facts, self.device, self.processes = facts, device, processes
        self.first = next(iter(stream))
        if self._error:
            raise self._error


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Begun:
    made = Begun()
    monkeypatch.setattr(command, "train", made)
    return made


@pytest.fixture
def run(tmp_path: Path) -> list[str]:
    """Arguments of a run on two packed people alone."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "set.images.npy", rng.integers(0, 255, (2, 64, 64, 3), dtype=np.uint8))
    np.save(tmp_path / "set.labels.npy", rng.integers(0, 32, (2, 64, 64), dtype=np.uint8))
    made = ["--out", str(tmp_path / "run"), "--synthetic", str(tmp_path / "set"), "--no-bf16"]
    return ["enet-relu", *made, "--batch", "2", "--crop", "62"]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The last line with which arguments are refused."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()[-1].removeprefix("xfactor train: error: ")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--keep", "head"], "--keep and --only take their layers from a checkpoint: give --init"),
        (["--only", "head"], "--keep and --only take their layers from a checkpoint: give --init"),
        (
            ["pil-small", "--recipe", "paf_fcn_report"],
            "--recipe paf_fcn_report is not of pil-small's family; leave it out for the usual one",
        ),
        (
            ["pil-small", "--agg-bn-recalibrate", "1"],
            "--agg-bn-recalibrate: pil-small has no aggregation module; leave it out",
        ),
        (
            ["baseline", "--agg-bn-recalibrate", "1"],
            "--agg-bn-recalibrate: baseline has no aggregation module; leave it out",
        ),
        (["--rendered-share", "-0.1"], "--rendered-share takes a share from 0 to 1, not -0.1"),
        (["--rendered-share", "1.1"], "--rendered-share takes a share from 0 to 1, not 1.1"),
        (["--rendered-share", "2"], "--rendered-share takes a share from 0 to 1, not 2"),
        (["--own-share", "0"], "--own-share takes a weight above 0, not 0"),
        (["--own-share", "-2"], "--own-share takes a weight above 0, not -2"),
        (
            ["--data", "lip=a:0"],
            "--data NAME=ROOT:WEIGHT takes a weight above 0. Leave the set out instead.",
        ),
    ],
)
def test_words_that_do_not_go_together_are_refused(
    words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused([*words, "--out", "x"], capsys) == reason


@pytest.mark.parametrize("words", ["--rendered-share 0", "--rendered-share 1", "--own-share 0.01"])
def test_the_ends_of_a_share_are_taken(words: str, run: list[str], begun: Begun) -> None:
    assert main([*run, *words.split()]) == 0


def test_without_data_nothing_is_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enet-relu", "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err == "no training data: give --data DIR, --synthetic FILE or --own DIR\n"
    assert not (tmp_path / "run").exists()


def test_a_run_needs_a_folder_to_write_into(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(["enet-relu"], capsys) == "the following arguments are required: --out"


def test_the_words_are_those_of_the_command_line_unless_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["train", "paf-fcn-small", "--help"])
    helps = []
    for words in (None, ["--help"], ["pil_paper", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
        helps.append(" ".join(capsys.readouterr().out.split()))
    for name, said in zip(("paf-fcn-small", "factored-s31", "pil-hg2"), helps, strict=True):
        assert f"defaults are those of {name}: training/recipes.py" in said


@pytest.mark.parametrize(("steps", "warmup"), [(99, 9), (1990, 199), (2009, 200), (4000, 200)])
def test_a_run_warms_up_over_a_tenth_of_its_steps_at_most(
    steps: int, warmup: int, run: list[str], begun: Begun
) -> None:
    assert main([*run, "--steps", str(steps)]) == 0
    assert (begun.config.steps, begun.config.warmup_steps) == (steps, warmup)


def test_a_run_is_what_its_words_say(run: list[str], begun: Begun, tmp_path: Path) -> None:
    words = ["--seed", "5", "--lr", "0.25", "--target-stride", "8", "--labels", "majority"]
    shares = ["--mixture", "4", "3", "2", "1", "--own-share", "0.01", "--rendered-share", "0"]
    assert main([*run, *words, *shares, "--setting-shares", "0", "0", "0", "1", "--threads", "2"]) == 0
    assert torch.get_num_threads() == 2
    assert (begun.config.seed, begun.config.lr, begun.config.batch) == (5, 0.25, 2)
    assert begun.config.step.setting_shares == [0, 0, 0, 1]
    assert not begun.config.step.bf16
    assert begun.state.step == 0
    assert (begun.out, begun.device, begun.processes) == (tmp_path / "run", CPU, (0, 1))
    shape = {"size": 2, "crop": 64, "stride": 8, "augmentation": "ours", "labels": "majority"}
    mixture = {"synthetic": 4, "silhouettes": 3, "sport": 2, "composites": 1, "own": 0.01}
    assert begun.facts == {"shape": shape, "crop": 64, "mixture": mixture}, (
        "the side is one that the row takes"
    )
    torch.manual_seed(5)
    first = build(ROW).state_dict()
    assert all(torch.equal(value, first[name]) for name, value in begun.state.net.state_dict().items())


def test_without_more_words_the_seed_is_0_and_one_thread_computes(run: list[str], begun: Begun) -> None:
    assert main(run) == 0
    assert torch.get_num_threads() == 1
    assert begun.config.seed == 0
    assert begun.facts["mixture"] == {
        "synthetic": 0.38, "silhouettes": 0.2, "sport": 0.34, "composites": 0.08, "own": 0.3,
    }  # fmt: skip
    assert isinstance(begun.stream, Stream)


def test_a_papers_name_is_its_network_and_its_recipe(run: list[str], begun: Begun) -> None:
    assert main(["factored_paper", *run[1:]]) == 0
    assert begun.state.row is ZOO["factored-s31-paper"]
    assert (begun.config.optimiser, begun.facts["shape"]["stride"]) == ("rmsprop", 8)
    assert main(["factored-s31-paper", *run[1:]]) == 0
    assert (begun.config.optimiser, begun.facts["shape"]["stride"]) == ("muon", 4)


@pytest.mark.parametrize("stride", [1, 2, 4, 8])
def test_a_code_stands_for_as_many_pixels_as_asked(stride: int, run: list[str], begun: Begun) -> None:
    assert main([*run, "--target-stride", str(stride)]) == 0
    assert begun.first.targets["codes"].shape == (2, 64 // stride, 64 // stride)


def batch_of(seed: int, step: int, run: list[str]) -> Any:
    """The batch of a step of `run`'s row with one seed."""
    outputs = tuple(o for stage in ROW.stages for o in stage.outputs)
    folders = DataFolders(synthetic=(Path(run[4]),), mixture=Mixture())
    return batches_for(outputs, folders, BatchShape(2, 64, 4), seed)(step=step)


def test_each_of_several_processes_has_batches_of_its_own_and_the_first_alone_speaks(
    run: list[str], begun: Begun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(distributed, "start", lambda: (2, 3))
    assert main([*run, "--seed", "5"]) == 0
    assert begun.processes == (2, 3)
    assert np.array_equal(begun.first.images, batch_of(5 * 3 + 2, 0, run).images)
    assert "Next:" not in caplog.text


@pytest.mark.parametrize(("recalibrated", "batches"), [(0, 5), (3, 9)])
def test_workers_make_the_batches_of_the_run_and_those_that_measure_after_it(
    recalibrated: int, batches: int, run: list[str], begun: Begun
) -> None:
    """One batch is drawn before the end is seen; then come those of the measurement."""
    words = ["factored-s31", *run[1:], "--steps", "5", "--workers", "1"]
    assert main([*words, "--agg-bn-recalibrate", str(recalibrated)]) == 0
    assert isinstance(begun.stream, WorkerStream)
    assert len(list(begun.stream)) == batches
    assert np.array_equal(begun.first.images, batch_of(0, 0, run).images)


@pytest.mark.parametrize("error", [DivergedError("step 3: too far"), ValueError("no such thing")])
def test_a_run_that_stops_says_why(
    error: Exception, run: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "train", Begun(error))
    assert main(run) == 1
    assert capsys.readouterr().err == f"{error}\n"


def test_what_is_kept_of_a_start_is_frozen_and_its_statistics_are_on_request(
    run: list[str], begun: Begun, tmp_path: Path
) -> None:
    given = tmp_path / "given.safetensors"
    torch.manual_seed(7)
    net = build(ROW)
    layer = ".".join(next(name for name, _ in net.named_parameters()).split(".")[:2])
    save_network(given, ROW, net, {})
    assert main([*run, "--init", str(given), "--keep", layer, "--keep-statistics"]) == 0
    weights = begun.state.net.state_dict()
    same = {name for name, value in net.state_dict().items() if torch.equal(value, weights[name])}
    assert {name for name in weights if name.startswith(f"{layer}.")} <= same
    assert len(same) < len(weights)
    learning = {name for name, p in begun.state.net.named_parameters() if p.requires_grad}
    assert learning == {name for name, _ in net.named_parameters() if not name.startswith(f"{layer}.")}
    norms = [m for m in begun.state.net.train().modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training for norm in norms)


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
    save_network(other, ROW, build(ROW), {})
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


def test_help_has_the_defaults_of_the_row(capsys: pytest.CaptureFixture[str]) -> None:
    for row, steps, side in (("pil-small", 8000, 256), ("paf-fcn-small", 12000, 320)):
        with pytest.raises(SystemExit):
            main([row, "--help"])
        words = " ".join(capsys.readouterr().out.split())
        assert f"defaults are those of {row}" in words
        assert f"--steps STEPS default {steps}" in words
        assert f"side of the training pictures, px; default {side}" in words


def test_a_packed_set_is_no_source_of_scenes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = rendered_alone(tmp_path)[1:]
    assert main(["paf-fcn-small", *run]) == 2
    assert "xfactor synth --count N --out DIR" in capsys.readouterr().err
