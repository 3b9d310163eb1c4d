"""How a notice is put into words: by operators' language, a title and a text."""

from __future__ import annotations

from dataclasses import dataclass

from notifications.models import Notice


@dataclass(frozen=True)
class Words:
    """A notice in words."""

    level: Notice.Level
    title: dict[str, str]
    text: dict[str, str]
