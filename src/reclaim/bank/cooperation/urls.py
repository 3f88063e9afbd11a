"""Routes of practitioners: referrals, evidence, letters, plans."""

from django.urls import path

from reclaim.bank.cooperation import case_views, views

urlpatterns = [
    path("", views.home, name="cooperation-home"),
    path("key/", views.take_part, name="cooperation-take-part"),
    path("sent/<uuid:key>/", views.sent, name="cooperation-sent"),
    path("received/<int:key>/", views.received, name="cooperation-received"),
    path("officers/", views.officers, name="cooperation-officers"),
    path("officers/<int:key>/", views.officer, name="cooperation-officer"),
    path("packs/<uuid:key>/", case_views.pack, name="cooperation-pack"),
    path("packs/<uuid:key>/custody/", case_views.custody, name="cooperation-custody"),
    path("<uuid:case_file>/", views.case, name="cooperation-case"),
    path("<uuid:case_file>/refer/", views.refer, name="cooperation-refer"),
    path("<uuid:case_file>/evidence/", case_views.make_pack, name="cooperation-make-pack"),
    path("<uuid:case_file>/letter/", case_views.letter, name="cooperation-letter"),
    path("<uuid:case_file>/plan/", case_views.plan, name="cooperation-plan"),
    path("<uuid:case_file>/plan/change/", case_views.change_plan, name="cooperation-change-plan"),
]
