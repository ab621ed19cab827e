"""Several views at a frame say what the program says with the same test-time augmentation."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from personalize.worker.augmentation import FOUR, AveragedViews
from personalize.worker.context import BaseNetwork, person
from runtime.engine.engine import load_engine
from runtime.frames import Frame
from runtime.output.scaling import full_person
from tests.person_clip import person_frames
from tests.personalising import job_for

pytestmark = pytest.mark.onnx


def test_looks_agree_with_the_program(tmp_path):
    (image,) = person_frames(1)
    size = image.shape[1], image.shape[0]
    network = BaseNetwork.of(job_for(tmp_path))
    averaged = AveragedViews(network, size)
    canvases = tuple(network.letterbox(size, zoom).apply(image)[0] for zoom in FOUR.sizes)
    upright = person(network.factor, network.features(canvases[1]))
    cells = averaged.person(canvases, upright)
    assert cells.shape == (27, 48)  # a fifth more each way than the network's own
    engine = load_engine("factored-s31", device="cpu").with_views(FOUR)
    frame = Frame(image, 0, 0.0, 0.0)
    (maps,) = engine.forward.grid_maps((frame,))
    np.testing.assert_allclose(cells, maps.maps["person"][0], atol=1e-5)
    small = averaged.along_edges(
        cells, canvases[1], cv2.resize(image, (80, 45), interpolation=cv2.INTER_AREA)
    )
    written = cv2.resize(full_person(engine.parsing(frame)), (80, 45), interpolation=cv2.INTER_AREA)
    assert small.shape == (45, 80)
    assert np.mean((small > 0.5) != (written > 127)) < 0.01
