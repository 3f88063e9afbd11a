"""Routes of the directory for practitioners."""

from django.urls import path

from reclaim.bank.directory import views

urlpatterns = [path("", views.directory, name="directory-home")]
