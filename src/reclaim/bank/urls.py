"""Routes of the bank."""

from django.urls import include, path, re_path

from reclaim.bank.exchange.v2 import router as exchange
from reclaim.bank.lookup.api import router as lookup
from reclaim.bank.operations.api import router as applications
from reclaim.bank.placements.api import router as placements
from reclaim.sitekit.api import SiteApi

v2 = SiteApi(
    title="Reclaim: the exchange between banks and platforms",
    version="2",
    description="Signals of pictures and videos that nobody may share, and what becomes of them. docs/exchange-v2.md "
    "tells the rules.",
    name="v2",
)
v2.add_router("", exchange)
v2.add_router("", lookup)
v2.add_router("", placements)
v2.add_router("", applications)

handler400 = "reclaim.sitekit.problems.bad_request"
handler404 = "reclaim.sitekit.problems.page_not_found"
handler500 = "reclaim.sitekit.problems.server_error"

urlpatterns = [
    # A client whose base URL ends with a slash asks for «/v1//FetchHashes».
    re_path(r"^v1/+", include("reclaim.bank.exchange.urls")),
    path("v2/federation/", include("reclaim.bank.federation.urls")),
    path("v2/federation/", include("reclaim.bank.cooperation.wire_urls")),
    path("v2/", include(v2.routes)),
    re_path(r"^ncmec/+", include("reclaim.bank.exchange.ncmec")),
    path("", include("reclaim.bank.gate.urls")),
    path("", include("reclaim.bank.operations.urls")),
    path("staff/", include("reclaim.sitekit.accounts.urls")),
    path("staff/signals/", include("reclaim.bank.trust.urls")),
    path("staff/directory/", include("reclaim.bank.directory.staff_urls")),
    path("helpline/directory/", include("reclaim.bank.directory.urls")),
    path("helpline/links/", include("reclaim.bank.takedown.urls")),
    path("helpline/cooperation/", include("reclaim.bank.cooperation.urls")),
    path("helpline/unlock/", include("reclaim.bank.vault.urls")),
    path("helpline/", include("reclaim.bank.helpline.urls")),
    path("", include("reclaim.bank.cooperation.demand_urls")),
    path("", include("reclaim.bank.law.urls")),
    path("", include("reclaim.bank.intake.urls")),
]
