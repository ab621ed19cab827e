"""Settings on disk: bad files, newer files, two instances, no home (rows D02, D03, D04, D05, D06)."""

from __future__ import annotations

import errno
import itertools
import json
import os
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import RECENT_KEPT, Settings, SettingsFile, network_threads
from runtime.system import paths
from runtime.system.errors import Refusal
from tests.unit.app.fault_injection import failing_call


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def written(path: Path, content: bytes) -> SettingsFile:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return SettingsFile(path)


def kept(path: Path) -> list[bytes]:
    return [p.read_bytes() for p in path.parent.glob("settings.corrupt-*")]


ANY = st.builds(
    Settings,
    theme=st.sampled_from(["auto", "light", "dark"]),
    opacity=st.floats(0, 1),
    mirror=st.booleans(),
    hidden_parts=st.lists(st.text(), max_size=3).map(tuple),
    model=st.text(),
    network_size=st.integers(0, 4096),
    looks=st.sampled_from(["auto", "1", "2", "6", "regions"]),
    recent=st.lists(st.binary(max_size=9).map(os.fsdecode), max_size=3).map(
        tuple
    ),  # any file name, UTF-8 or not
)


@given(ANY)
def test_what_is_saved_is_loaded(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    SettingsFile(path).save(settings)
    again = SettingsFile(path)
    assert again.load() == settings
    assert again.notices == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_file_there_are_defaults_and_nothing_is_written(path: Path) -> None:
    assert SettingsFile(path).load() == Settings()
    assert not path.parent.exists()


def test_values_are_checked() -> None:
    for bad in (
        {"opacity": 2.0},
        {"theme": "pink"},
        {"looks": "3"},
        {"looks": 6},
        {"mirror": 1},
        {"recent": (1,)},
        {"opacity": float("nan")},
    ):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Settings(**bad)  # type: ignore[arg-type]


GOOD = b'{"version": 1, "theme": "dark", "opacity": 0.25}'
NOT_SETTINGS = {
    "empty": b"",
    "truncated": GOOD[:-9],
    "null": b"null",
    "list": b"[1, 2]",
    "zeros": b"\0" * 400,
    "zero padding": GOOD + b"\0" * 400,
    "latin-1": b'{"model": "caf\xe9"}',
    "deep": b'{"model": ' * 100_000,
    "many digits": b'{"network_size": ' + b"9" * 6000 + b"}",
    "too large": b'{"version": 1, "model": "' + b"x" * 1_000_000 + b'"}',
}
WRONG_KEYS = {
    "type": (b'{"theme": "dark", "opacity": "0.25"}', "opacity"),
    "bool": (b'{"theme": "dark", "network_size": true}', "network_size"),
    "NaN": (b'{"theme": "dark", "opacity": NaN}', "opacity"),
    "infinite": (b'{"theme": "dark", "opacity": 1e999}', "opacity"),
    "huge": (b'{"theme": "dark", "opacity": ' + b"9" * 400 + b"}", "opacity"),
    "range": (b'{"theme": "dark", "opacity": -1}', "opacity"),
    "choice": (b'{"theme": "dark", "palette": "mauve"}', "palette"),
    "number for a choice": (b'{"theme": "dark", "looks": 6}', "looks"),
    "other choice": (b'{"theme": "dark", "looks": "3"}', "looks"),
    "null": (b'{"theme": "dark", "mirror": null}', "mirror"),
    "nested": (b'{"theme": "dark", "recent": [["a"]]}', "recent"),
    "long": (b'{"theme": "dark", "model": "' + b"m" * 5000 + b'"}', "model"),
    "long among others": (b'{"theme": "dark", "recent": ["a", "' + b"m" * 5000 + b'"]}', "recent"),
    "version 0": (b'{"theme": "dark", "version": 0}', "version"),
    "version of text": (b'{"theme": "dark", "version": "2"}', "version"),
    "version between": (b'{"theme": "dark", "version": 2.5}', "version"),
    "version of truth": (b'{"theme": "dark", "version": true}', "version"),
    "no version": (b'{"theme": "dark", "version": null}', "version"),
    "twice": (b'{"theme": "dark", "opacity": 0.1, "opacity": 0.2}', "opacity"),
}


@pytest.mark.parametrize("content", NOT_SETTINGS.values(), ids=NOT_SETTINGS)
def test_a_bad_file_gives_defaults_is_kept_and_nothing_else_is_written(path: Path, content: bytes) -> None:
    file = written(path, content)
    assert file.load() == Settings()
    assert path.read_bytes() == content
    assert kept(path) == [content]
    assert len(list(path.parent.iterdir())) == 2
    assert len(file.notices) == 1
    assert str(path) in file.notices[0]
    assert SettingsFile(path).load() == Settings()
    assert kept(path) == [content], "the second start kept it a second time"


@pytest.mark.parametrize(("content", "key"), WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_a_bad_key_costs_that_key_only(path: Path, content: bytes, key: str) -> None:
    file = written(path, content)
    assert file.load() == Settings(theme="dark")
    assert key in file.notices[0]
    file.save(replace(Settings(theme="dark"), hud=True))
    assert kept(path) == [content], "saving lost what the user had written"
    assert SettingsFile(path).load() == Settings(theme="dark", hud=True)


def test_a_byte_order_mark_is_no_fault(path: Path) -> None:
    file = written(path, b"\xef\xbb\xbf" + GOOD)
    assert file.load() == Settings(theme="dark", opacity=0.25)
    assert file.notices == []


def test_duplicates_do_not_take_quadratic_time(path: Path) -> None:
    started = time.process_time()
    written(path, b"{" + b",".join(b'"a":1' for _ in range(160_000)) + b"}").load()
    assert time.process_time() - started < 5


@pytest.mark.parametrize("make", [os.mkfifo, lambda p: p.symlink_to("/dev/zero"), os.mkdir])
def test_what_is_no_file_is_not_read_and_not_replaced(path: Path, make: object) -> None:
    path.parent.mkdir()
    make(path)  # type: ignore[operator]
    file = SettingsFile(path)
    assert file.load() == Settings()
    with pytest.raises(Refusal, match="not a regular file"):
        file.save(Settings(hud=True))
    assert list(path.parent.iterdir()) == [path]


def test_keys_we_do_not_know_are_kept(path: Path) -> None:
    file = written(path, b'{"version": 1, "theme": "dark", "brush_px": 12}')
    file.save(replace(file.load(), hud=True))
    assert json.loads(path.read_text())["brush_px"] == 12


def test_a_newer_version_is_used_and_never_saved_over(path: Path) -> None:
    content = b'{"version": 2, "theme": "dark", "opacity": {"parts": 1}}'
    file = written(path, content)
    settings = file.load()
    assert settings == Settings(theme="dark")
    assert "newer version" in file.read_only
    with pytest.raises(Refusal, match="newer version"):
        file.save(replace(settings, hud=True))
    assert [p.read_bytes() for p in path.parent.iterdir()] == [content]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS])
def test_failing_call_n_keeps_the_old_file_and_says_so(path: Path, code: int) -> None:
    """D02: whatever call fails, the old settings are there, nothing is left over, and the user is told."""
    file = SettingsFile(path)
    old = file.save(Settings(theme="dark"))
    before = path.read_bytes()
    told = 0
    for n in itertools.count(1):
        with failing_call(n, code) as injector:
            refusal = ""
            try:
                file.save(replace(old, hud=True))
            except Refusal as e:
                refusal = str(e)
        if refusal:
            told += 1
            assert str(path) in refusal
            assert path.read_bytes() == before, injector.failed_in
        else:
            assert SettingsFile(path).load() == replace(old, hud=True)
            old = file.save(Settings(theme="dark"))
        assert list(path.parent.iterdir()) == [path]
        if not injector.failed_in:
            break
    assert told >= 5  # open, fchmod, write, fsync, replace


def test_two_instances_lose_no_update(path: Path) -> None:
    first, second = SettingsFile(path), SettingsFile(path)
    mine, yours = first.load(), second.load()
    mine = first.save(replace(mine, theme="dark"))
    yours = second.save(replace(yours, opacity=0.3))
    assert yours == Settings(theme="dark", opacity=0.3)
    assert first.save(replace(mine, hud=True)) == Settings(theme="dark", opacity=0.3, hud=True)


INSTANCE = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from app import settings as module
from app.settings import SettingsFile
module.LOCK_PATIENCE_S = 100.0  # a loaded machine starves one of four for longer than a user waits
file, key, values = SettingsFile(Path(sys.argv[1])), sys.argv[3], sys.argv[4:]
settings = file.load()
for value in values:
    settings = file.save(replace(settings, **{key: value}))
"""


def test_two_processes_lose_no_update(path: Path, repository: Path) -> None:
    values = [str(n) for n in range(20)]
    running = [
        subprocess.Popen([sys.executable, "-c", INSTANCE, path, repository, key, *values])
        for key in ("model", "factor", "recordings", "folder")
    ]
    assert [p.wait() for p in running] == [0, 0, 0, 0]
    assert SettingsFile(path).load() == Settings(model="19", factor="19", recordings="19", folder="19")
    assert list(path.parent.iterdir()) == [path]


def test_a_deleted_file_is_written_whole(path: Path) -> None:
    file = SettingsFile(path)
    settings = file.save(Settings(theme="dark"))
    path.unlink()
    file.save(replace(settings, hud=True))
    assert SettingsFile(path).load() == Settings(theme="dark", hud=True)


def test_reset_keeps_the_old_file(path: Path) -> None:
    file = SettingsFile(path)
    assert file.reset() is None
    file.save(Settings(theme="dark"))
    old = file.reset()
    assert old is not None
    assert json.loads(old.read_text())["theme"] == "dark"
    assert file.load() == Settings()


def test_home_that_cannot_be_written_runs_with_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """D06; /proc refuses new folders even to root."""
    monkeypatch.setenv("XFACTOR_HOME", "/proc/xfactor")
    file = SettingsFile()
    assert file.load() == Settings()
    assert (
        file.notices == [] or "cannot be written" in file.notices[0]
    )  # root may write there, the system refuses
    with pytest.raises(Refusal, match="settings were not saved"):
        file.save(Settings(theme="dark"))


def test_no_home_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XFACTOR_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda p: p)  # what Python does for a user without an entry
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert paths.user_config_dir().is_relative_to(paths.NO_HOME)
    assert paths.user_factors_dir().is_absolute()
    assert SettingsFile().load() == Settings()


def test_recent_sources() -> None:
    settings = Settings(recent=tuple("abcdefghij"))
    assert settings.with_recent("c") == tuple("cabdefghij")
    assert settings.with_recent("z") == tuple("zabcdefghi")
    assert len(settings.with_recent("z")) == RECENT_KEPT


def test_network_threads() -> None:
    assert [network_threads(n) for n in (1, 2, 3, 8)] == [1, 1, 1, 6]


def test_every_field_is_checked() -> None:
    """A field without a type we check would let anything in."""
    assert {type(f.default) for f in fields(Settings)} == {str, bool, int, float, tuple}
