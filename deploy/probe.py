"""Whether a web server answers. Also the health check of the containers: `python -m deploy.probe URL`."""

from __future__ import annotations

import http.client
import sys
from urllib.parse import urlsplit


def answers(url: str, timeout: float = 2.0) -> bool:
    """Any answer but a server's own failure counts: a redirect or a refusal comes from a process that works."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1], timeout=5.0) else 1)
