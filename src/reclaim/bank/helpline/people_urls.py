"""Routes of an organisation's own page, below /helpline/people/."""

from django.urls import path

from reclaim.bank.helpline import people_views as views

urlpatterns = [
    path("", views.people, name="organisation-home"),
    path("words/", views.words, name="organisation-words"),
    path("add/", views.add, name="person-add"),
    path("alarms/<int:key>/", views.close_alarm, name="alarm-close"),
    path("<int:key>/", views.person, name="person"),
    path("<int:key>/share/", views.share, name="person-share"),
    path("<int:key>/reset/", views.reset, name="person-reset"),
    path("<int:key>/remove/", views.remove, name="person-remove"),
]
