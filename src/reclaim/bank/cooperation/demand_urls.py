"""Routes of legal demands: of staff, and one for everybody."""

from django.urls import path

from reclaim.bank.cooperation import demand_views

urlpatterns = [
    path("demands/", demand_views.public, name="demands-public"),
    path("staff/demands/", demand_views.home, name="demands"),
    path("staff/demands/log/", demand_views.log, name="demand-log"),
    path("staff/demands/<int:key>/", demand_views.demand, name="demand"),
    path("staff/demands/<int:key>/propose/", demand_views.propose, name="demand-propose"),
    path("staff/demands/<int:key>/release/", demand_views.release, name="demand-release"),
    path("staff/demands/<int:key>/notice/", demand_views.notice, name="demand-notice"),
]
