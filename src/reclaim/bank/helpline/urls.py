"""Routes of practitioners."""

from django.urls import path

from reclaim.bank.helpline import views

urlpatterns = [
    path("", views.cases, name="casework-home"),
    path("consent/<int:consent>/", views.case, name="consented-case"),
]
