"""A child made by ``os.fork`` can use the indexes it inherits: none is half changed, no lock stays held for ever."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

from reclaim.index import _native


class Inherited(Protocol):
    """What has locks of its own."""

    def after_fork_in_child(self) -> None:
        """Make them anew: whoever held one is not in the child."""
        ...


_inherited: weakref.WeakSet[Inherited] = weakref.WeakSet()


def tell_in_child(what: Inherited) -> None:
    """From now on it is told in every forked child."""
    _inherited.add(what)


def _in_child() -> None:
    _native.after_fork_in_child()
    for what in list(_inherited):
        what.after_fork_in_child()


os.register_at_fork(before=_native.before_fork, after_in_parent=_native.after_fork_in_parent, after_in_child=_in_child)
