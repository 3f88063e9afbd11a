"""Routes of the gate."""

from django.urls import path

from reclaim.bank.gate import views

urlpatterns = [path("start/puzzle/", views.puzzle, name="puzzle")]
