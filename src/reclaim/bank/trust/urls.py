"""Routes of signals that platforms reject, for the bank's staff."""

from django.urls import path

from reclaim.bank.trust import views

urlpatterns = [path("", views.doubted, name="doubted")]
