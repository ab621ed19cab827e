"""The bundled people and the reader of their sheets."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from personalize.replay import COLUMNS, PeopleError, read_regression


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


def test_a_sheet_is_read_in_rows_of_sixteen(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 255, (2 * 8, COLUMNS * 8, 3)).astype(np.uint8)
    people = cv2.resize(blocks, (COLUMNS * 256, 512), interpolation=cv2.INTER_NEAREST)
    masks = np.kron(np.arange(2 * COLUMNS).reshape(2, COLUMNS) % 2, np.ones((256, 256))) > 0
    cv2.imwrite(str(tmp_path / "people.jpg"), people[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    cv2.imwrite(str(tmp_path / "silhouettes.png"), masks.astype(np.uint8) * 255)
    read = read_regression(tmp_path)
    assert len(read.pictures) == 2 * COLUMNS
    for i, (seen, silhouette) in enumerate(zip(read.pictures, read.silhouettes, strict=True)):
        row, column = divmod(i, COLUMNS)
        drawn = people[256 * row : 256 * (row + 1), 256 * column : 256 * (column + 1)]
        assert np.abs(drawn.astype(int) - seen).mean() < 8
        assert silhouette.all() == silhouette.any() == bool(i % 2)


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
