"""What accounts tell apps that keep something for a member.

The first two are sent with ``request``, ``member`` and ``password``, the second in the transaction that keeps it.
"""

from django.dispatch import Signal

password_shown = Signal()
"""The right password was typed; the second factor comes next. ``request.session[CARRIED]`` lasts into the session."""
password_chosen = Signal()
"""A password was chosen; ``first`` says whether after a one-time one. A receiver that raises keeps it from being so."""
member_reset = Signal()
"""A member's account begins anew, in this transaction; with ``member``: nobody knows the password before any more."""
member_removed = Signal()
"""A member's account ended, in this transaction; with ``member``, and the ``actor`` who ended it."""
