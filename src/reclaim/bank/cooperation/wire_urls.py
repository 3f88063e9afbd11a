"""Routes between banks."""

from django.urls import path

from reclaim.bank.cooperation import wire_views

urlpatterns = [
    path("organisations", wire_views.organisations, name="federation-organisations"),
    path("referrals", wire_views.referrals, name="federation-referrals"),
]
