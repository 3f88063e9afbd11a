"""Routes of applicants, and of the staff who vet and watch platforms."""

from django.urls import path

from reclaim.bank.operations import held_views, join_views, organisation_views, other_views, platform_views, views

urlpatterns = [
    path("platforms/join/", join_views.join, name="platform-join"),
    path("platforms/join/<str:number>/", join_views.application, name="platform-application"),
    path("staff/", views.home, name="staff-home"),
    path("staff/applications/", views.applications, name="applications"),
    path("staff/applications/<str:number>/", views.application, name="application"),
    path("staff/applications/<str:number>/vet/", views.vet_application, name="application-vet"),
    path("staff/applications/<str:number>/consent/", views.consent_to_application, name="application-consent"),
    path("staff/applications/<str:number>/decline/", views.decline_application, name="application-decline"),
    path("staff/applications/<str:number>/refuse/", views.refuse_consent, name="application-refuse"),
    path("staff/applications/<str:number>/offer/", views.offer_keys_again, name="application-offer"),
    path("staff/platforms/", platform_views.platforms, name="platforms"),
    path("staff/platforms/<int:key>/", platform_views.platform, name="platform"),
    path("staff/platforms/<int:key>/keys/", platform_views.add, name="platform-key-add"),
    path("staff/platforms/<int:key>/keys/<int:number>/rotate/", platform_views.rotate, name="platform-key-rotate"),
    path("staff/platforms/<int:key>/keys/<int:number>/change/", platform_views.change, name="platform-key-change"),
    path("staff/platforms/<int:key>/keys/<int:number>/revoke/", platform_views.revoke, name="platform-key-revoke"),
    path("staff/platforms/<int:key>/end/", platform_views.end, name="platform-end"),
    path("staff/organisations/", organisation_views.organisations, name="organisations"),
    path("staff/organisations/add/", organisation_views.add, name="organisation-add"),
    path("staff/organisations/alarms/<int:key>/", organisation_views.close_alarm, name="organisation-alarm-close"),
    path("staff/organisations/<int:key>/", organisation_views.organisation, name="organisation"),
    path("staff/organisations/<int:key>/end/", organisation_views.end, name="organisation-end"),
    path("staff/lookups/", other_views.lookups, name="lookups"),
    path("staff/lookups/change/", other_views.change_lookups, name="lookups-change"),
    path("staff/held/", held_views.held, name="held"),
    path("staff/peers/", other_views.peers, name="peers"),
]
