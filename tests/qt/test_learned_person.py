"""Personalise to one person: clicked in the picture, chosen among the instances, or the largest who moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from app.controllers.personalization_options import job_for
from app.ui.personalize_form import PersonalizeOptions, PersonalizeRequest
from models.results import Result
from personalize.client import job_folders
from personalize.job import PersonChoice, read_job
from tests.qt.scripting import REPORT, UP, done, reaches
from tests.qt.test_people import Shown, person

pytestmark = pytest.mark.gui


def ask(shown: Shown):
    """The form, waiting for a click in the picture."""
    shown.actions["personalise"].trigger()
    form = shown.window.personalise.setup
    assert form._ask.isVisible()
    form._ask.click()
    assert "Click the person" in shown.window.status.currentMessage()
    return form


def highlit(shown: Shown, x: float, y: float = 50) -> bool:
    """True where a tint lies over the frame on show."""
    return shown.canvas._mask is not None and shown.canvas._mask[1].pixel(int(x / 2), int(y / 2)) != 0


def chosen(form) -> PersonChoice | None:
    return form._person.currentData()


def test_a_click_on_one_of_two_people_goes_into_the_job(playing, worker, qtbot) -> None:
    worker([UP, *done(accepted=False)])
    shown = Shown(playing, qtbot)
    shown.people(person(10, 1), person(100, 2))
    form = ask(shown)
    shown.click(110, 50)
    at, frame = chosen(form).at, chosen(form).frame
    assert np.allclose(at, (110, 50), atol=0.6)
    assert frame == 0
    assert form._person.currentText() == "Person at 110,50 in frame 0"
    assert (highlit(shown, 110), highlit(shown, 20)) == (True, False)
    shown.click(20, 50)  # the next click chooses in the picture, as ever
    assert chosen(form).at == at
    form._start.click()
    job = read_job(next(job_folders.jobs_dir().iterdir()))
    assert job.person == PersonChoice(at, 0)
    assert (job.last, job.around) == (None, 0)
    reaches(playing, qtbot, "result")


def test_a_click_on_nobody_highlights_the_people_and_asks_again(playing, qtbot) -> None:
    shown = Shown(playing, qtbot)
    shown.people(person(10, 1), person(100, 2))
    form = ask(shown)
    shown.click(60, 80)
    assert chosen(form) is None
    assert "Nobody is found there; click one of those highlighted" in shown.window.banner.notice.text
    assert all(highlit(shown, x) for x in (20, 110))
    shown.people(person(40, 1), person(100, 2))  # the clip plays on
    assert (highlit(shown, 20), highlit(shown, 50), highlit(shown, 110)) == (False, True, True)
    shown.click(50, 50)
    assert chosen(form).frame == 0
    assert (highlit(shown, 50), highlit(shown, 110)) == (True, False)


@pytest.mark.parametrize("end", ["close the panel", "everybody"])
def test_the_chosen_one_is_highlighted_while_the_clip_plays_until_the_form_asks_no_more(
    playing, qtbot, end: str
) -> None:
    shown = Shown(playing, qtbot)
    shown.people(person(10, 1), person(100, 2))
    form = ask(shown)
    shown.click(110, 50)
    shown.people(person(30, 1), person(80, 2))
    assert [x for x in (20, 40, 90, 110) if highlit(shown, x)] == [90]
    shown.people(person(30, 1))
    assert shown.canvas._mask is None
    shown.people(person(30, 1), person(60, 2))
    assert [x for x in (40, 70) if highlit(shown, x)] == [70]
    if end == "everybody":
        form._person.setCurrentIndex(0)
    else:
        shown.actions["personalise"].trigger()
    assert shown.canvas._mask is None
    shown.people(person(30, 1), person(60, 2))
    assert shown.canvas._mask is None


def test_one_thing_at_a_time_waits_for_a_click(playing, qtbot) -> None:
    shown = Shown(playing, qtbot)
    shown.people(person(10, 1))
    form = ask(shown)
    shown.actions["chroma"].trigger()
    shown.click(20, 50)
    assert chosen(form) is None
    shown.click(20, 50)
    assert shown.style.person == 1
    shown.actions["chroma"].trigger()
    form._ask.click()
    shown.click(20, 50)
    assert chosen(form) is not None
    assert shown.canvas.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_a_chosen_person_is_of_one_source_only(playing, qtbot) -> None:
    form = playing.window.personalise.setup
    for folder, kept in (("a", False), ("a", True), ("b", False)):
        form.show_offer(PersonalizeOptions("clip.mkv", f"/{folder}/clip.mkv", name="clip"))
        assert (form.person is not None) == kept
        form.show_person(PersonChoice((9, 8), 3))


def test_without_instances_a_silhouette_is_clicked(playing, qtbot) -> None:
    """A model of parts alone: the connected region of P(person)."""
    shown = Shown(playing, qtbot)
    parsing = playing.window.canvas.parsed.result.parsing
    silhouette = np.zeros_like(parsing.person)
    silhouette[:, : silhouette.shape[1] // 4] = 255
    silhouette[silhouette.shape[0] // 2, -silhouette.shape[1] // 16] = 255  # noise is nobody
    shown.show(replace(shown.of, result=Result(replace(parsing, person=silhouette))))
    form = ask(shown)
    shown.click(150, 46)
    assert chosen(form) is None
    shown.click(20, 50)
    assert chosen(form).frame == 0


def test_who_is_chosen_in_the_picture_is_learned(playing, qtbot) -> None:
    shown = Shown(playing, qtbot)
    shown.people(person(10, 1), person(100, 2))
    assert not shown.actions["learn-person"].isEnabled()
    shown.click(110, 50)
    shown.actions["learn-person"].trigger()
    assert shown.window.personalise.isVisible()
    choice = chosen(shown.window.personalise.setup)
    assert np.allclose(choice.at, (110, 50), atol=2)
    assert choice.frame == 0


def test_who_is_chosen_is_pointed_at_where_they_are_not_in_the_middle_of_their_box(playing, qtbot) -> None:
    shown = Shown(playing, qtbot)
    wide = replace(person(100, 1), box=(20, 20, 100, 60))  # an arm stretched out to the left
    shown.people(wide, person(60, 2))
    shown.click(110, 50)
    shown.actions["learn-person"].trigger()
    assert chosen(shown.window.personalise.setup).at[0] > 100


def test_a_person_in_a_cameras_picture_is_looked_for_where_the_recording_begins(playing, tmp_path) -> None:
    wish = PersonalizeRequest(
        "me", marked=False, method="tree", go_on=False, person=PersonChoice((9, 8), 4123)
    )
    job = job_for(playing.workspace, tmp_path / "recorded.mkv", PersonalizeOptions("camera", live=True), wish)
    assert (job.first, job.last, job.around, job.person) == (0, None, 0, PersonChoice((9, 8), 0))


@pytest.mark.parametrize("end", ["escape", "close the panel"])
def test_escape_or_closing_the_panel_ends_the_asking(playing, qtbot, end: str) -> None:
    shown = Shown(playing, qtbot)
    shown.people(person(10, 1))
    form = ask(shown)
    if end == "escape":
        qtbot.keyClick(shown.window, Qt.Key.Key_Escape)
    else:
        shown.actions["personalise"].trigger()
    shown.click(20, 50)
    assert chosen(form) is None
    assert shown.style.person == 1


def test_the_result_says_which_person(playing, worker, qtbot) -> None:
    *steps, (say, event), end = done(accepted=False)
    words = "at 110,50 in frame 0, found by instances"
    worker([UP, *steps, [say, {**event, "report": {**REPORT, "person": {"words": words}}}], end])
    playing.window.actions_["personalise"].trigger()
    form = playing.window.personalise.setup
    form._person.setCurrentIndex(1)
    form._start.click()
    assert read_job(next(job_folders.jobs_dir().iterdir())).person == PersonChoice()
    reaches(playing, qtbot, "result")
    assert f"Person: {words}" in playing.window.personalise.result._reason.text()
