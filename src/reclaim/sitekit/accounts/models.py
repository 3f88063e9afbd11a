"""Members of a site's staff. Their second factors are django-allauth's ``Authenticator`` rows."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac

from reclaim.sitekit.roles import Role


class Member(AbstractBaseUser):
    """Somebody of the staff. A row stays when its member is removed: the audit trail names it."""

    name = models.CharField(max_length=80, unique=True)
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])
    one_time_until = models.DateTimeField(null=True)
    """While the password is one that an operator has seen: when it ends. It opens nothing but the set-up page."""
    removed_at = models.DateTimeField(null=True)
    # When somebody signed in is in the audit trail.
    last_login = None

    USERNAME_FIELD = "name"
    objects = BaseUserManager["Member"]()

    @property
    def actor(self) -> str:
        """The member as the audit trail names them."""
        return f"member:{self.pk}"

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Whether the member may sign in at all."""
        return self.removed_at is None

    def get_session_auth_hash(self) -> str:
        """What a session keeps and compares: it ends when password or role change."""
        return salted_hmac("reclaim.sitekit.accounts", f"{self.role}:{self.password}", algorithm="sha256").hexdigest()


class MemberSession(models.Model):
    """A session that a member began; Django's own row of the same key says whether it still lasts."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="sessions")
    session_key = models.CharField(max_length=40, unique=True)
    began_at = models.DateTimeField(auto_now_add=True)
