"""The compiled Portuguese catalogue says what its source says, and nothing of it is left untranslated."""

from __future__ import annotations

import gettext
import re
from ast import literal_eval
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FOLDERS = sorted(TOP.glob("*/locale/pt_BR/LC_MESSAGES"))
STRINGS = r'((?:".*"\n)+)'


def _entries(folder: Path | None = None) -> dict[str, str]:
    source = "\n".join((one / "django.po").read_text() for one in ([folder] if folder else FOLDERS))
    found = re.findall(rf"(?m)^msgid {STRINGS}(?:msgid_plural {STRINGS})?msgstr(?:\[0\])? {STRINGS}", source)
    return {_text(msgid): _text(msgstr) for msgid, _plural, msgstr in found if _text(msgid)}


def _text(lines: str) -> str:
    return "".join(str(literal_eval(line)) for line in lines.splitlines())


def test_every_text_is_translated() -> None:
    entries = _entries()
    assert len(entries) > 300
    assert [msgid for msgid, msgstr in entries.items() if not msgstr] == []


def test_placeholders_survive_translation() -> None:
    pattern = re.compile(r"%\(\w+\)[sd]|%d|\{\}")
    for msgid, msgstr in _entries().items():
        assert sorted(pattern.findall(msgid)) == sorted(pattern.findall(msgstr)), msgid


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(TOP).parts[0])
def test_the_compiled_catalogue_is_up_to_date(folder: Path) -> None:
    with (folder / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    stale = [msgid for msgid, msgstr in _entries(folder).items() if _compiled(compiled, msgid) != msgstr]
    assert stale == []


def _compiled(catalogue: gettext.GNUTranslations, msgid: str) -> str:
    translated = catalogue.gettext(msgid)
    return translated if translated != msgid else catalogue.ngettext(msgid, msgid, 1)
