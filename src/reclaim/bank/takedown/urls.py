"""Routes of takedown, beneath ``/helpline/links/``."""

from django.urls import path

from reclaim.bank.takedown import request_views, views

urlpatterns = [
    path("", views.home, name="takedown-home"),
    path("loose/", views.loose, name="takedown-loose"),
    path("browser/", views.browser, name="takedown-browser"),
    path("case/<uuid:case_file>/", views.case_links, name="takedown-case"),
    path("case/<uuid:case_file>/batch/", request_views.batch, name="takedown-batch"),
    path("request/<uuid:number>/", request_views.asked, name="takedown-request"),
    path("<uuid:link>/", views.link, name="takedown-link"),
    path("<uuid:link>/act/", views.act, name="takedown-act"),
    path("<uuid:link>/host/", views.host, name="takedown-host"),
    path("<uuid:link>/open/", views.opening, name="takedown-open"),
    path("<uuid:link>/write/<slug:route>/", request_views.write, name="takedown-write"),
]
