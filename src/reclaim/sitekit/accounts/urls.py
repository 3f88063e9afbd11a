"""Routes of staff accounts, below wherever a site puts them. None of the library's own routes is open."""

from django.urls import path

from reclaim.sitekit.accounts import account_views, views

urlpatterns = [
    path("sign-in/", views.sign_in, name="member-sign-in"),
    path("sign-in/second-factor/", views.second_factor, name="member-second-factor"),
    path("sign-in/set-up/", views.set_up, name="member-set-up"),
    path("sign-out/", views.sign_out, name="member-sign-out"),
    path("again/", views.again, name="member-again"),
    path("account/", account_views.account, name="member-account"),
    path("account/sign-out/", account_views.sign_out_everywhere, name="member-sign-out-everywhere"),
    path("account/password/", account_views.password, name="member-password"),
    path("account/app/", account_views.app, name="member-app"),
    path("account/key/", account_views.key, name="member-key"),
    path("account/remove/", account_views.remove, name="member-remove-factor"),
    path("account/recovery-codes/", account_views.recovery_codes, name="member-recovery-codes"),
]
