"""Routes of the HTTP API."""

from django.urls import path

from reclaim.platform.inbox import api

# Numbers are read by the views: a malformed one is refused without a key as any other is.
urlpatterns = [
    path("uploads", api.uploads, name="api-uploads"),
    path("uploads/<str:number>", api.upload, name="api-upload"),
    path("uploads/<str:number>/appeal", api.appeal, name="api-appeal"),
    path("uploads/<str:number>/carried-out", api.carried_out, name="api-carried-out"),
    path("matches", api.matches, name="api-matches"),
    path("matches/<str:number>/decision", api.decision, name="api-decision"),
]
