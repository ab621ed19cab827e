"""Footage of made-up people: the same every time, and its truth lies where the picture shows it."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

pytest.importorskip("numba", reason="needs the extra `train`")
pytest.importorskip("anny", reason="needs the extra `train`")

from runtime.media.clips import Clip
from runtime.system.errors import Refusal
from synthetic.bodies import Bodies, load_bodies
from synthetic.footage import choreography, files, places
from synthetic.footage.cast import SAMPLE
from synthetic.footage.choreography import Choreography
from synthetic.footage.takes import TAKES, Performer, Production, Take
from synthetic.footage.unseen import UNSEEN
from synthetic.generate import TEST_SHARE
from training.centroids import JOINTS, Distances, centroids, true_joints

SIZE = (128, 128)
ANYBODY = replace(SAMPLE, body=2)


@pytest.fixture(scope="module")
def bodies() -> Bodies:
    return load_bodies(10)  # as many as in test_synthetic_people.py: built once for all


@pytest.fixture(scope="module")
def dancing(bodies: Bodies) -> Production:
    return Production(Take("dancing", ANYBODY, choreography.dancing, places.studio, hard=False), SIZE, bodies)


def test_a_frame_is_the_same_every_time(bodies: Bodies, dancing: Production) -> None:
    again = Production(dancing.take, SIZE, bodies)
    one, two = dancing.frame(40), again.frame(40)
    np.testing.assert_array_equal(one.image, two.image)
    np.testing.assert_array_equal(one.labels, two.labels)
    np.testing.assert_array_equal(one.joints, two.joints)
    assert not np.array_equal(one.image, dancing.frame(41).image)


def test_joints_lie_on_their_parts(dancing: Production) -> None:
    """The true parts' centroids are near the true joints: what scores others scores the truth well."""
    distances = Distances()
    for number in range(0, 75, 6):
        shot = dancing.frame(number)
        truth = true_joints(shot.joints, shot.labels)
        at = centroids(shot.labels, SIZE)
        distances.add(at, at, truth)
    assert distances.count > 0.9 * len(JOINTS) * len(range(0, 75, 6))
    assert distances.missed == 0
    assert distances.mean("wrists") < 0.016 * SIZE[0]
    assert distances.mean("elbows") < 0.016 * SIZE[0]
    assert distances.mean("shoulders") < 0.035 * SIZE[0]
    assert distances.mean("head") < 0.035 * SIZE[0]


def test_the_silhouette_is_what_the_person_covers(bodies: Bodies) -> None:
    """With clothes in a colour that nothing else has, they are found inside the silhouette only."""
    pink = replace(places.studio(), dye=(1.0, 0.0, 0.8), grain=0.0, blur=0.3)
    take = Take("pink", ANYBODY, choreography.boxing, lambda: pink, hard=False)
    shot = Production(take, SIZE, bodies).frame(30)
    image = shot.image.astype(int)
    dyed = (image[..., 0] - image[..., 1] > 60) & (image[..., 2] - image[..., 1] > 40)
    assert dyed.sum() > 0.3 * (shot.labels > 0).sum()
    assert (dyed & (shot.labels == 0)).sum() < 0.05 * dyed.sum()


def test_a_camera_in_the_hand_moves_background_and_person(bodies: Bodies) -> None:
    take = Take("street", ANYBODY, choreography.boxing, places.street, hard=False)
    production = Production(take, SIZE, bodies)
    one, two = production.frame(0), production.frame(12)
    empty = (one.labels == 0) & (two.labels == 0)
    assert np.abs(one.image.astype(int) - two.image)[empty].mean() > 4


def test_camouflage_has_the_colours_of_its_place(bodies: Bodies) -> None:
    take = Take("hidden", ANYBODY, choreography.boxing, places.thicket, hard=True)
    shot = Production(take, SIZE, bodies).frame(5)
    torso = np.isin(shot.labels, [7, 8, 20, 21])
    here, there = shot.image[torso].mean(0), shot.image[shot.labels == 0].mean(0)
    assert np.abs(here - there).max() < 30


def test_the_takes_are_many_and_a_third_is_hard() -> None:
    assert len({take.name for take in TAKES}) == len(TAKES) >= 6
    assert 3 * sum(take.hard for take in TAKES) >= len(TAKES)
    assert len({take.person.body for take in TAKES}) == len(TAKES)
    held_out = int(160 * TEST_SHARE)
    assert all(take.person.body < held_out for take in TAKES)
    assert all(round(take.performed().seconds * 25) == 75 for take in TAKES)


def test_the_unseen_takes_are_of_others_than_the_first_ones() -> None:
    bodies = {take.person.body for take in UNSEEN}
    assert len({take.name for take in UNSEEN}) == len(bodies) == len(UNSEEN) == 20
    assert len({take.digest for take in UNSEEN} - {""}) == 20
    assert not bodies & {take.person.body for take in TAKES}
    assert max(bodies) < int(160 * TEST_SHARE)
    assert 3 * sum(bool(take.others) for take in UNSEEN) >= len(UNSEEN)
    assert 3 * sum(take.hard for take in UNSEEN) >= len(UNSEEN)
    assert all(c.person.body != take.person.body for take in UNSEEN for c in take.others)


def test_companions_are_seen_and_are_not_of_the_truth(bodies: Bodies, dancing: Production) -> None:
    beside = Performer(replace(SAMPLE, body=1), choreography.boxing, (-1.1, 0.6))
    both = Production(replace(dancing.take, others=(beside,)), SIZE, bodies).frame(40)
    alone = dancing.frame(40)
    np.testing.assert_array_equal(both.labels, alone.labels)  # nobody stands before the dancer
    np.testing.assert_array_equal(both.joints, alone.joints)
    changed = np.abs(both.image.astype(int) - alone.image).max(axis=2) > 40
    assert (changed & (alone.labels == 0)).sum() > 0.5 * (alone.labels > 0).sum()


def test_a_mirrored_performance_is_its_mirror_image(bodies: Bodies, dancing: Production) -> None:
    take = replace(dancing.take, performed=lambda: choreography.mirrored(choreography.dancing()))
    other = Production(take, SIZE, bodies)
    for number in (20, 50):
        wrists = [p.frame(number).joints[9:11, :2] for p in (dancing, other)]
        turned = (SIZE[0] - 1 - wrists[1][::-1, 0], wrists[1][::-1, 1])
        np.testing.assert_allclose(wrists[0].T, turned, atol=0.12 * SIZE[0])  # the camera stands 10 cm beside
        assert np.abs(wrists[0] - wrists[1]).max() > 0.1 * SIZE[0]


@pytest.mark.slow
def test_a_rendered_take_is_read_back(
    bodies: Bodies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthetic.footage.takes.load_bodies", lambda: bodies)

    def short() -> Choreography:
        return replace(choreography.boxing(), seconds=0.2)

    take = Take("short", ANYBODY, short, places.studio, hard=False, digest="abc")
    with monkeypatch.context() as killed:
        first = Production(take, (96, 64)).frame(0)
        killed.setattr(Production, "frame", Mock(side_effect=[first, KeyboardInterrupt]))
        with pytest.raises(KeyboardInterrupt):
            files.render_take(take, tmp_path, (96, 64))
    assert not [*tmp_path.glob("short.mp4"), *tmp_path.glob("*.npz")], "whole or absent"
    footage = files.render_take(take, tmp_path, (96, 64))
    assert footage.labels.shape == (5, 64, 96)
    assert footage.joints.shape == (5, 17, 3)
    with Clip(footage.clip) as clip:
        decoded = [frame.image for frame in clip.frames()]
    assert len(decoded) == 5
    drawn = Production(take, (96, 64), bodies).frame(3)
    assert np.abs(decoded[3].astype(int) - drawn.image).mean() < 6
    np.testing.assert_array_equal(files.render_take(take, tmp_path, (96, 64)).labels, footage.labels)
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["short.mp4", "short.npz"]
    with pytest.raises(Refusal, match=r"short.mp4: the take was described otherwise when it was drawn"):
        files.render_take(replace(take, digest="edited"), tmp_path, (96, 64))
    np.savez(tmp_path / "short.npz", labels=footage.labels, joints=footage.joints)  # by an earlier version
    np.testing.assert_array_equal(files.render_take(take, tmp_path, (96, 64)).labels, footage.labels)
