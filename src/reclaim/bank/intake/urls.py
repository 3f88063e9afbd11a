"""Routes of the person's pages."""

from django.urls import path

from reclaim.bank.intake import case_views, help_views, helper_views, new_case, proof_views, views

urlpatterns = [
    path("", views.start, name="start"),
    path("start/", views.leaving, name="start-leaving"),
    path("start/notes/", views.limits, name="limits"),
    path("start/age/", views.age, name="start-age"),
    path("start/other/", views.under_18, name="under-18"),
    path("start/what/", views.situation, name="situation"),
    path("start/checking/", views.checking, name="checking"),
    path("start/files/", views.files, name="files"),
    path("start/files/keep.js", proof_views.keep, name="keep"),
    path("start/case/", new_case.new_case, name="case-new"),
    path("case/", case_views.sign_in, name="case-sign-in"),
    path("case/pictures/", case_views.items, name="case"),
    path("case/add/", case_views.add, name="case-add"),
    path("case/add/send/", new_case.add, name="case-add-send"),
    path("case/withdraw/", case_views.withdraw, name="case-withdraw"),
    path("case/helper/", helper_views.helper, name="case-helper"),
    path("case/helper/stop/", helper_views.stop, name="case-helper-stop"),
    path("case/lost/", case_views.lost, name="case-lost"),
    path("case/sign-out/", case_views.sign_out, name="case-sign-out"),
    path("help/now/", help_views.now, name="help-now"),
    path("help/a/", help_views.online, name="help-online"),
    path("help/b/", help_views.threat, name="help-threat"),
    path("help/c/", help_views.ai, name="help-ai"),
    path("help/d/", help_views.no_file, name="help-nofile"),
    path("help/e/", help_views.device, name="help-device"),
    path("leave/", views.leave, name="leave"),
    path("go/<slug:slug>/", views.go, name="go"),
    path("files.json", proof_views.files_json, name="manifest"),
    path("privacy/", views.privacy, name="privacy"),
]
