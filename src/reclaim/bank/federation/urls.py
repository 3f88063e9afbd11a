"""Routes between banks."""

from django.urls import path

from reclaim.bank.federation import views

urlpatterns = [path("statements", views.federation_statements, name="federation-statements")]
