"""Routes of helper organisations."""

from django.urls import path

from reclaim.bank.helper import views

urlpatterns = [
    path("", views.cases, name="helper-cases"),
    path("sign-in/", views.sign_in, name="helper-sign-in"),
    path("sign-out/", views.sign_out, name="helper-sign-out"),
    path("case/<int:consent>/", views.case, name="helper-case"),
]
