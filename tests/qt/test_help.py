"""What a user copies for a bug report: no home, no name of a person (row J05)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from PyQt6.QtGui import QGuiApplication

from app.commands import doctor
from app.controllers import help as help_actions
from personalize.client import job_folders
from personalize.job import write_job
from tests.personalising import job_for

pytestmark = pytest.mark.gui


def test_without_a_file_manager_the_place_of_a_folder_is_said(desktop, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(help_actions.QDesktopServices, "openUrl", lambda _: False)
    help_actions.show_folder(desktop.window, tmp_path)
    assert desktop.window.banner.notice.text == f"The folder is {tmp_path}"


def test_j05_a_bug_report_names_neither_home_nor_people(desktop, qtbot, user_home: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(user_home.parent))
    monkeypatch.setattr(doctor, "CHECKS", {"Folders": doctor._folders, "Machine": doctor._machine})
    folder = job_folders.new_folder("Ann-Example")
    write_job(folder, job_for(folder / "clip.mp4"))
    for path in (*folder.iterdir(), folder):
        os.utime(path, (time.time() - 9999,) * 2)
    QGuiApplication.clipboard().clear()
    desktop.window.actions_["copy-system"].trigger()
    qtbot.waitUntil(lambda: "Folders" in QGuiApplication.clipboard().text())
    text = QGuiApplication.clipboard().text()
    assert "leftovers: 1 of runs" in text
    assert "settings: ~/" in text
    assert str(user_home.parent) not in text
    assert "Ann-Example" not in text
