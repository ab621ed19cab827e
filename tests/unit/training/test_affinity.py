"""Parts and limbs of the same people in training: the loss by hand, and the targets of scenes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.codecs.affinity_fields import AffinityFieldsCodec
from models.codecs.codec import PictureContext, Placement
from models.labels import COCO17, IGNORE, S31
from models.outputs import AffinityFields, JointDisks
from training.affinity_loss import affinity_loss
from training.crowd_batches import CrowdSources, WholePhoto, affinity_targets, make_affinity_batch
from training.crowds import draw_crowd, warped_codes
from training.objectives import terms_of
from training.person_cutouts import PersonCutout
from training.stream import BatchShape
from training.targets import SET_CODES

OUTPUT = JointDisks(joints="COCO-17", radius_px=16)
EMPTY_SCENE = np.full((200, 200, 3), 90, np.uint8)


def standing(*, codes: bool = True) -> PersonCutout:
    """A grey upright figure whose left half is its left side in the picture's sense of right."""
    image = np.full((160, 80, 3), 200, np.uint8)
    alpha = np.zeros((160, 80), np.uint8)
    alpha[4:156, 10:70] = 255
    points = np.zeros((17, 2), np.float32)
    for i, name in enumerate(COCO17.names):
        side = {"l": 1, "r": -1}.get(name[0], 0) if "_" in name else 0
        points[i] = 40 + side * 22, 10 + 9 * i
    labels = np.where(np.arange(80) >= 40, S31.id("luarm"), S31.id("ruarm")).astype(np.uint8)
    parts = np.broadcast_to(labels, (160, 80)).copy()
    return PersonCutout("drawn", image, alpha, points, np.ones(17, bool), parts if codes else None)


def test_errors_count_where_the_truth_is_known_or_there() -> None:
    heat, fields = torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)
    heat[0, 0, 0, 0], heat[0, 1] = 1.0, 1.0
    fields[0, 1, 0, 0] = -1.0
    known = torch.ones_like(heat)
    known[0, 0, 1, 1] = 0
    targets = {"heatmaps": heat, "heatmaps_known": known,
               "affinity_fields": fields, "affinity_fields_known": torch.ones_like(fields)}  # fmt: skip
    maps = {"heatmaps": torch.full_like(heat, 0.5), "affinity_fields": torch.full_like(fields, 0.5)}
    terms = affinity_loss(maps, targets)
    assert terms["heatmaps"].item() == pytest.approx(7 * 0.25)  # one joint is there; one cell is not known
    assert terms["affinity_fields"].item() == pytest.approx(7 * 0.25 + 2.25)
    positive = affinity_loss(maps, targets, mask="positive")
    assert positive["heatmaps"].item() == pytest.approx(5 * 0.25)
    assert positive["affinity_fields"].item() == pytest.approx(2.25)
    assert affinity_loss(maps, targets, scale="batch")["heatmaps"].item() == pytest.approx(7 * 0.25 / 2)
    early = {"stage1_heatmaps": heat, "stage1_affinity_fields": maps["affinity_fields"]}
    both = terms_of([AffinityFields(joints="COCO-17")], maps | early, targets)
    assert both["stage1_heatmaps"].item() == 0, "an earlier stage is taught by its own maps"
    assert both["heatmaps"].item() == terms["heatmaps"].item()


def test_a_scene_gives_its_people_back_and_their_parts() -> None:
    rng = np.random.default_rng(5)
    scenes = [
        draw_crowd(rng, [standing(), standing(codes=False)], [EMPTY_SCENE], OUTPUT, 256) for _ in range(12)
    ]
    codes = np.stack([s.codes for s in scenes if s.codes is not None])
    owners = np.stack([s.owners for s in scenes])
    assert set(np.unique(codes)) == {0, S31.id("luarm"), S31.id("ruarm"), SET_CODES["person"], IGNORE} - (
        set() if (codes == IGNORE).any() else {IGNORE}
    )
    assert not codes[(owners == 0) & ~np.stack([s.unsure for s in scenes])].any()
    alone = next(s for s in scenes if len(s.people) == 1 and not s.unknown.any())
    targets = affinity_targets(alone, OUTPUT, 4)
    assert targets["codes"].shape == (64, 64)
    placement = Placement((256, 256), (256, 256), 8)
    context = PictureContext(placement, alone.picture, alone.picture, (256, 256))
    found = AffinityFieldsCodec().decode(AffinityFields(joints="COCO-17"), targets, context).people
    assert len(found) == 1


def test_unknown_joints_teach_neither_maps_nor_limbs() -> None:
    person = standing()
    photo = WholePhoto("one", person.image, person.alpha, person.points, person.known)
    hidden = person.known.copy()
    hidden[COCO17.id("l_elbow")] = False
    photos = [WholePhoto("one", person.image, person.alpha, person.points, hidden)]
    sources = CrowdSources(OUTPUT, [], [], photos, [EMPTY_SCENE], rendered_share=0)
    step = next(
        s for s in range(40) if np.random.default_rng((0, s, 0)).random() < 0.25
    )  # a photo in its place
    batch = make_affinity_batch(sources, BatchShape(1, 256, 4), seed=0, step=step)
    known = batch.targets["heatmaps_known"][0]
    elbows = known[[COCO17.id("l_elbow"), COCO17.id("r_elbow")]]
    assert elbows.min() == 0
    assert known[-1].min() == 0, "nor the background there"
    bone = COCO17.bones.index((COCO17.id("l_shoulder"), COCO17.id("l_elbow")))
    mirrored = COCO17.bones.index((COCO17.id("r_shoulder"), COCO17.id("r_elbow")))
    limbs = batch.targets["affinity_fields_known"][0]
    assert (
        min(limbs[2 * bone].mean(), limbs[2 * mirrored].mean()) < limbs[2 * COCO17.bones.index((0, 1))].mean()
    )
    assert (batch.targets["codes"] == IGNORE).all(), "a photo without codes teaches no parts"
    again = make_affinity_batch(sources, BatchShape(1, 256, 4), seed=0, step=step)
    assert all(np.array_equal(v, again.targets[k]) for k, v in batch.targets.items())
    assert photo.codes is None


def test_left_and_right_parts_change_places_in_a_mirrored_person() -> None:
    codes = np.array([[S31.id("luarm"), S31.id("ruarm")]], np.uint8)
    upright = warped_codes(codes, np.array([[1.0, 0, 0], [0, 1, 0]]), 2)
    mirrored = warped_codes(codes, np.array([[-1.0, 0, 1], [0, 1, 0]]), 2)
    assert upright[0].tolist() == mirrored[0].tolist() == codes[0].tolist()
    assert (upright[1] == IGNORE).all()
