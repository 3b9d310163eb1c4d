"""`make story`: needs nothing, changes nothing, and takes a few seconds."""

from __future__ import annotations

import logging
from unittest import mock

from tests.apart import begin_anew


def main() -> None:
    import django

    django.setup()
    import fakeredis
    from django.core.management import call_command

    from scheduler import publisher, redis
    from tests.story.story import Story

    logging.disable(logging.CRITICAL)
    call_command("migrate", verbosity=0, interactive=False)
    server = fakeredis.FakeRedis()
    with mock.patch.object(redis, "client", return_value=server), mock.patch.object(publisher, "announce"):
        Story(print).tell()


if __name__ == "__main__":
    begin_anew("tests.story")
    main()
