"""How django-allauth's second factors are kept and shown here."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import qrcode
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from django.conf import settings

from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.secrets import derive

_QUIET_ZONE = 4
"""White modules around a QR code, as its standard asks for."""


@lru_cache
def _cipher(master: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derive(master, "second-factors")))


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # it has no types
    """Secrets encrypted under the site's own secret; a QR code that needs no inline style."""

    def encrypt(self, text: str) -> str:
        """What the database keeps of a secret."""
        return _cipher(settings.MASTER_SECRET).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again. Raises ``cryptography.fernet.InvalidToken`` under another site's secret."""
        return _cipher(settings.MASTER_SECRET).decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        """Under which name an authenticator app lists the account."""
        return f"Reclaim {context.request.get_host()}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The site as security keys know it: its host without the port, which browsers insist on."""
        return {"id": urlsplit(f"//{context.request.get_host()}").hostname or "", "name": "Reclaim"}

    def get_public_key_credential_user_entity(self, user: Member) -> dict[str, Any]:
        """The member as security keys list them."""
        return {"id": str(user.pk).encode(), "display_name": user.name, "name": user.name}

    def build_totp_svg(self, url: str) -> str:
        """The QR code as an ``<svg>`` for the page itself: dark modules as one path, without any style."""
        code = qrcode.QRCode(border=_QUIET_ZONE)
        code.add_data(url)
        modules = code.get_matrix()
        dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(modules) for x, is_dark in enumerate(row) if is_dark)
        size = len(modules)
        return (
            f'<svg viewBox="0 0 {size} {size}" shape-rendering="crispEdges" aria-hidden="true"><path d="{dark}"/></svg>'
        )
