"""The bundled people: as the command writes them, the reader reads them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from personalize.replay import COLUMNS, PeopleError, read_regression
from training import regression


def test_the_bundled_sheets_hold_people_and_empty_rooms(repository: Path) -> None:
    """What personalising is held against: many people, some pictures of nobody, small on disk."""
    folder = repository / "assets" / "regression"
    people = read_regression(folder)
    assert len(people.pictures) == len(people.silhouettes) == 128
    shares = people.silhouettes.mean(axis=(1, 2))
    assert (shares == 0).sum() == 8
    assert shares[shares > 0].min() >= 0.01
    assert shares.max() <= 0.85
    assert people.pictures.shape[1:] == (256, 256, 3)
    assert people.pictures.std(axis=(1, 2, 3)).min() > 1
    assert len({image.tobytes() for image in people.pictures}) == 128
    assert sum(f.stat().st_size for f in folder.iterdir()) < 4e6


def test_who_is_replayed_does_not_judge(repository: Path) -> None:
    people = read_regression(repository / "assets" / "regression")
    shown, judging = people.replayed()[0], people.judging()[0]
    assert len(shown) == len(judging) == 64
    assert not {p.tobytes() for p in shown} & {p.tobytes() for p in judging}


@pytest.mark.slow
def test_what_is_written_is_read_in_its_place(tmp_path: Path) -> None:
    drawn = regression.pictures(COLUMNS, rooms=0, pool=10)
    regression.write(tmp_path, drawn)
    read = read_regression(tmp_path)
    assert len(read.pictures) == COLUMNS == regression.COLUMNS
    assert not read.silhouettes[-1].any()
    for (image, mask), seen, silhouette in zip(drawn, read.pictures, read.silhouettes, strict=True):
        np.testing.assert_array_equal(mask, silhouette)
        assert np.abs(image.astype(int) - seen).mean() < 8


def test_a_view_of_the_room_is_the_same_every_time() -> None:
    one, two = (regression.Rooms(1, 32).sample(np.random.default_rng(1), 16) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_sheets_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PeopleError, match="cannot be read"):
        read_regression(tmp_path)
    cv2.imwrite(str(tmp_path / "people.jpg"), np.zeros((256, 256, 3), np.uint8))
    (tmp_path / "silhouettes.png").write_bytes(b"no picture")
    with pytest.raises(PeopleError, match="damaged"):
        read_regression(tmp_path)
    cv2.imwrite(str(tmp_path / "silhouettes.png"), np.zeros((256, 512), np.uint8))
    with pytest.raises(PeopleError, match="differ in size"):
        read_regression(tmp_path)
