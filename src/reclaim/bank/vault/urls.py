"""Routes of the vault."""

from django.urls import path

from reclaim.bank.vault import views

urlpatterns = [path("", views.unlock, name="vault-unlock")]
