"""Routes of a platform's site."""

from django.urls import include, path

handler400 = "reclaim.sitekit.problems.bad_request"
handler404 = "reclaim.sitekit.problems.page_not_found"
handler500 = "reclaim.sitekit.problems.server_error"

urlpatterns = [
    path("api/", include("reclaim.platform.inbox.urls")),
    path("", include("reclaim.sitekit.accounts.urls")),
    path("", include("reclaim.platform.review.urls")),
]
