"""Routes of the law: what everybody reads, and what the staff writes."""

from django.urls import path

from reclaim.bank.law import staff_views, views

urlpatterns = [
    path("law/", views.home, name="law-home"),
    path("law/convention/", views.treaty, name="law-convention"),
    path("law/convention/<int:number>/", views.article, name="law-article"),
    path("law/convention/source/<int:number>/", views.treaty_source, name="law-convention-source"),
    path("law/source/<slug:key>/<int:number>/", views.source, name="law-source"),
    path("law/<str:country>/", views.country, name="law-country"),
    path("staff/law/", staff_views.laws, name="staff-laws"),
    path("staff/law/add/", staff_views.add, name="staff-law-add"),
    path("staff/law/<slug:key>/", staff_views.law, name="staff-law"),
    path("staff/law/<slug:key>/edit/", staff_views.edit, name="staff-law-edit"),
    path("staff/law/<slug:key>/review/", staff_views.review, name="staff-law-review"),
]
