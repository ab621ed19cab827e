"""Unfinished personalisations: those of an earlier run, offered once when the window opens."""

from __future__ import annotations

from functools import partial

from app.controllers.personalization import Personalization
from app.ui.banner import Banner
from personalize.client import job_folders
from runtime.system.notices import Notice


def offer_unfinished(banner: Banner, personalization: Personalization) -> None:
    """Offer to go on with the newest one, or to decide on its result; the others stand in the panel."""
    left = [x for x in job_folders.left_over() if not job_folders.in_use(x.folder)]
    if not left:
        return
    newest, others = left[0], len(left) - 1
    name = newest.job.name
    words = f"{name} waits for your decision." if newest.finished else f"Learning {name} was interrupted."
    if others:
        words += f" {others} more {'is' if others == 1 else 'are'} listed under Personalise."
    label = "Show" if newest.finished else "Resume"
    banner.show_offer(
        Notice(words, topic="unfinished"), label, partial(personalization.resume, str(newest.folder))
    )
