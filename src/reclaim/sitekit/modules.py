"""Which modules a script of ours imports, so that a page can name them all at once.

Without it a browser learns of each only when the one that imports it has come: on a slow network, a round trip a level.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache

from reclaim.sitekit.served import served_files

# Static imports only, as they are written in our files: what is imported later is fetched only when it is needed.
_IMPORT = re.compile(r"""^(?:import|\}|export)\s*(?:[^'"();]*\sfrom\s*)?['"](\.{1,2}/[^'"]+)['"];$""", re.MULTILINE)


@cache
def modules_of(path: str) -> tuple[str, ...]:
    """The path of a script below ``web/``, and those of all modules that it needs to start, each once."""
    found = [path]
    for module in found:
        text = served_files()[module].path.read_text(encoding="utf-8")
        here = posixpath.dirname(module)
        imported = (posixpath.normpath(posixpath.join(here, name)) for name in _IMPORT.findall(text))
        found += [name for name in dict.fromkeys(imported) if name not in found]
    return tuple(found)
