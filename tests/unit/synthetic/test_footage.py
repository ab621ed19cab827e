"""Footage of made-up people: the same every time, and its truth lies where the picture shows it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="needs the extra `train`")
pytest.importorskip("anny", reason="needs the extra `train`")

from runtime.media.clips import Clip
from synthetic.bodies import Bodies, load_bodies
from synthetic.clip.figure import Outfit
from synthetic.footage import files, places, scores
from synthetic.footage.takes import FRAMES, TAKES, Production, Take
from synthetic.generate import TEST_SHARE
from training.centroids import JOINTS, Distances, centroids, true_joints

SIZE = 128


@pytest.fixture(scope="module")
def bodies() -> Bodies:
    return load_bodies(10)  # as many as in test_synthetic_people.py: built once for all


@pytest.fixture(scope="module")
def dancing(bodies: Bodies) -> Production:
    return Production(Take("dancing", Outfit(2), scores.dancing, places.studio, hard=False), SIZE, bodies)


def test_a_frame_is_the_same_every_time(bodies: Bodies, dancing: Production) -> None:
    again = Production(Take("dancing", Outfit(2), scores.dancing, places.studio, hard=False), SIZE, bodies)
    one, two = dancing.shot(40), again.shot(40)
    np.testing.assert_array_equal(one.image, two.image)
    np.testing.assert_array_equal(one.labels, two.labels)
    np.testing.assert_array_equal(one.joints, two.joints)
    assert not np.array_equal(one.image, dancing.shot(41).image)


def test_joints_lie_on_their_parts(dancing: Production) -> None:
    """The true parts' centroids are near the true joints: what scores others scores the truth well."""
    distances = Distances()
    for number in range(0, FRAMES, 6):
        shot = dancing.shot(number)
        truth = true_joints(shot.joints, shot.labels)
        at = centroids(shot.labels, (SIZE, SIZE))
        distances.add(at, at, truth)
    assert distances.count > 0.9 * len(JOINTS) * len(range(0, FRAMES, 6))
    assert distances.missed == 0
    assert distances.mean("wrists") < 0.016 * SIZE
    assert distances.mean("elbows") < 0.016 * SIZE
    assert distances.mean("shoulders") < 0.035 * SIZE
    assert distances.mean("head") < 0.035 * SIZE


def test_the_silhouette_is_what_the_person_covers(bodies: Bodies) -> None:
    """With clothes in a colour that nothing else has, they are found inside the silhouette only."""
    pink = replace(places.studio(), dye=(1.0, 0.0, 0.8), grain=0.0, blur=0.3)
    take = Take("pink", Outfit(2), scores.boxing, lambda: pink, hard=False)
    shot = Production(take, SIZE, bodies).shot(30)
    image = shot.image.astype(int)
    dyed = (image[..., 0] - image[..., 1] > 60) & (image[..., 2] - image[..., 1] > 40)
    assert dyed.sum() > 0.3 * (shot.labels > 0).sum()
    assert (dyed & (shot.labels == 0)).sum() < 0.05 * dyed.sum()


def test_a_camera_in_the_hand_moves_background_and_person(bodies: Bodies) -> None:
    take = Take("street", Outfit(2), scores.boxing, places.street, hard=False)
    production = Production(take, SIZE, bodies)
    one, two = production.shot(0), production.shot(12)
    empty = (one.labels == 0) & (two.labels == 0)
    assert np.abs(one.image.astype(int) - two.image)[empty].mean() > 4


def test_camouflage_has_the_colours_of_its_place(bodies: Bodies) -> None:
    take = Take("hidden", Outfit(2), scores.boxing, places.thicket, hard=True)
    shot = Production(take, SIZE, bodies).shot(5)
    torso = np.isin(shot.labels, [7, 8, 20, 21])
    here, there = shot.image[torso].mean(0), shot.image[shot.labels == 0].mean(0)
    assert np.abs(here - there).max() < 30


def test_the_takes_are_many_and_a_third_is_hard() -> None:
    assert len({take.name for take in TAKES}) == len(TAKES) >= 6
    assert 3 * sum(take.hard for take in TAKES) >= len(TAKES)
    assert len({take.person.body for take in TAKES}) == len(TAKES)
    held_out = int(160 * TEST_SHARE)
    assert all(take.person.body < held_out for take in TAKES)
    assert all(round(take.score().seconds * 25) == FRAMES for take in TAKES)


@pytest.mark.slow
def test_a_rendered_take_is_read_back(
    bodies: Bodies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthetic.footage.takes.load_bodies", lambda: bodies)

    def short() -> scores.Score:
        return replace(scores.boxing(), seconds=0.2)

    take = Take("short", Outfit(2), short, places.studio, hard=False)
    footage = files.render(take, tmp_path, 64)
    assert footage.labels.shape == (5, 64, 64)
    assert footage.joints.shape == (5, 17, 3)
    with Clip(footage.clip) as clip:
        decoded = [frame.image for frame in clip.frames()]
    assert len(decoded) == 5
    drawn = Production(take, 64, bodies).shot(3)
    assert np.abs(decoded[3].astype(int) - drawn.image).mean() < 6
    np.testing.assert_array_equal(files.render(take, tmp_path, 64).labels, footage.labels)
