"""What may be shown to everybody: text without the users and passwords of addresses."""

from __future__ import annotations

import re
from typing import Final

# At the begin of a text that was cut out of a longer one, half an address does not show that it
# is one; a name before an @ is lost there, too.
_CREDENTIALS: Final = re.compile(r"(?:(?<=://)|\A)[^/\s@]+(?=@)")


def without_credentials(text: str) -> str:
    """*text* with ``***`` for every user and password in an address (``https://me:pw@host``).

    Applied again it changes nothing. Cut a text only afterwards, or at its begin.
    """
    return _CREDENTIALS.sub("***", text)
