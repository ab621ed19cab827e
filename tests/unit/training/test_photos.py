"""Readers of photos: what is bad is named and left out, or refused."""

from __future__ import annotations

import pytest

from training.photos import DataError, read_ccp, read_lsp


def test_readers_name_bad_files_and_go_on(shared_data, tmp_path, caplog) -> None:  # type: ignore[no-untyped-def]
    import shutil

    for sub in ("images", "silhouettes", "labels"):
        (tmp_path / sub).mkdir()
    shutil.copy(shared_data / "ccp" / "labels.json", tmp_path)
    stems = sorted(p.stem for p in (shared_data / "ccp" / "images").iterdir())[:3]
    for stem in stems:
        shutil.copy(shared_data / "ccp" / "images" / f"{stem}.jpg", tmp_path / "images")
        for sub in ("silhouettes", "labels"):
            shutil.copy(shared_data / "ccp" / sub / f"{stem}.png", tmp_path / sub)
    (tmp_path / "images" / f"{stems[0]}.jpg").write_bytes(b"not a picture")
    (tmp_path / "silhouettes" / f"{stems[1]}.png").unlink()
    photos = read_ccp(tmp_path, "test")
    assert [p.name for p in photos] == [f"{stems[2]}.jpg"]
    for words in (*stems[:2], "2 of 3"):
        assert words in caplog.text
    with pytest.raises(DataError, match=stems[0]):
        read_ccp(tmp_path, "test", strict=True)
    with pytest.raises(DataError, match="images"):
        read_lsp(_empty_lsp(tmp_path / "none"), "all")


def _empty_lsp(folder):  # type: ignore[no-untyped-def]
    (folder / "images").mkdir(parents=True)
    (folder / "keypoints.json").write_text('{"images": {}}')
    return folder
