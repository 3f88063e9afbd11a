"""Routes of the v1 wire."""

from django.urls import path

from reclaim.bank.exchange import views

urlpatterns = [
    path("FetchHashes", views.fetch_hashes, name="v1-fetch-hashes"),
    path("SubmitHashes", views.submit_hashes, name="v1-submit-hashes"),
    path("SubmitFeedback", views.submit_feedback, name="v1-submit-feedback"),
]
