"""What may be shown to everybody: text without the users and passwords of addresses."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"\S+")
_HIDDEN: Final = "***@"
# Registries of Go and npm have an @ at the begin of a path's part: /example.com/x/@v/list.
_PACKAGE: Final = re.compile(r"(?:[\w-]++\.)+[\w-]++(?::\d+)?(?=/)(?:[^\s@]*/@)+[^\s@]*")


def without_credentials(text: str) -> str:
    """*text* with ``***`` for every user and password in an address (``https://me:pw@host``).

    A password may itself hold ``@`` and ``/``, so all before a word's last ``@`` is taken for one:
    rather too much is hidden. Applied again it changes nothing. Cut a text only afterwards, or at
    its begin.
    """
    return _WORD.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    word: str = found[0]
    scheme, mark, rest = word.partition("://")
    # At the begin of a text that was cut out of a longer one, half an address does not show that
    # it is one; a name before an @ is lost there, too.
    if found.start() == 0 and (not mark or "@" in scheme):
        scheme, mark, rest = "", "", word
    elif not mark:
        return word
    if mark and _PACKAGE.fullmatch(rest):
        return word
    _, at, host = rest.rpartition("@")
    return f"{scheme}{mark}{_HIDDEN}{host}" if at else word
