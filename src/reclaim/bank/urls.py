"""Routes of the bank."""

from django.urls import include, path, re_path

from reclaim.sitekit.accounts.account_views import account

handler400 = "reclaim.sitekit.problems.bad_request"
handler404 = "reclaim.sitekit.problems.page_not_found"
handler500 = "reclaim.sitekit.problems.server_error"

urlpatterns = [
    # A client whose base URL ends with a slash asks for «/v1//FetchHashes».
    re_path(r"^v1/+", include("reclaim.bank.exchange.urls")),
    path("", include("reclaim.bank.gate.urls")),
    path("staff/", account, name="staff-home"),
    path("staff/", include("reclaim.sitekit.accounts.urls")),
    path("helper/", include("reclaim.bank.helper.urls")),
    path("", include("reclaim.bank.intake.urls")),
]
