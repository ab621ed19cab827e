"""The bundled people: as the command writes them, the reader reads them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from personalize.regression import read_regression
from training import regression


def test_the_bundled_sheets_hold_people_and_empty_rooms(repository: Path) -> None:
    """What personalising is held against: many people, some pictures of nobody, small on disk."""
    folder = repository / "assets" / "regression"
    people = read_regression(folder)
    assert len(people) == 128
    shares = np.asarray([mask.mean() for _, mask in people])
    assert (shares == 0).sum() == 8
    assert shares[shares > 0].min() >= 0.01
    assert shares.max() <= 0.85
    assert all(image.shape == (256, 256, 3) and image.std() > 1 for image, _ in people)
    assert len({image.tobytes() for image, _ in people}) == 128
    assert sum(f.stat().st_size for f in folder.iterdir()) < 4e6


@pytest.mark.slow
def test_what_is_written_is_read_in_its_place(tmp_path: Path) -> None:
    drawn = regression.pictures(regression.COLUMNS, rooms=0, pool=10)
    regression.write(tmp_path, drawn)
    read = read_regression(tmp_path)
    assert len(read) == regression.COLUMNS
    assert not read[-1][1].any()
    for (image, mask), (seen, silhouette) in zip(drawn, read, strict=True):
        np.testing.assert_array_equal(mask, silhouette)
        assert np.abs(image.astype(int) - seen).mean() < 8


def test_a_view_of_the_room_is_the_same_every_time() -> None:
    one, two = (regression.Rooms(1, 32).sample(np.random.default_rng(1), 16) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_sheets_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        read_regression(tmp_path)
    cv2.imwrite(str(tmp_path / "people.jpg"), np.zeros((256, 256, 3), np.uint8))
    (tmp_path / "silhouettes.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="not a readable picture"):
        read_regression(tmp_path)
    cv2.imwrite(str(tmp_path / "silhouettes.png"), np.zeros((256, 512), np.uint8))
    with pytest.raises(ValueError, match="not the same sheet"):
        read_regression(tmp_path)
