"""Routes of a sandbox: those of the training, and those of the bank, of which ``guard`` closes most."""

from django.urls import include, path

handler400 = "reclaim.sitekit.problems.bad_request"
handler404 = "reclaim.sitekit.problems.page_not_found"
handler500 = "reclaim.sitekit.problems.server_error"

urlpatterns = [
    path("training/", include("reclaim.bank.training.urls")),
    path("", include("reclaim.bank.urls")),
]
