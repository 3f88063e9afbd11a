"""Routes of the review pages."""

from django.urls import path

from reclaim.platform.review import appeal_views, own_views, views

# Numbers are read by the views: a malformed one is refused without a session as any other is.
urlpatterns = [
    path("", views.queue, name="staff-home"),
    path("matches/<str:number>/", views.match, name="review-match"),
    path("matches/<str:number>/picture", views.picture, name="review-picture"),
    path("matches/<str:number>/decision", views.decision, name="review-decision"),
    path("matches/<str:number>/undo", views.undo, name="review-undo"),
    path("appeals/", appeal_views.appeals, name="review-appeals"),
    path("appeals/<str:number>/", appeal_views.appeal, name="review-appeal"),
    path("appeals/<str:number>/decision", appeal_views.appeal_decision, name="review-appeal-decision"),
    path("preferences/", own_views.preferences, name="review-preferences"),
    path("rules/", own_views.rules, name="review-rules"),
    path("rules/matching/", own_views.matching, name="review-matching"),
    path("shift/", own_views.shift, name="review-shift"),
    path("shift/end", own_views.shift_end, name="review-shift-end"),
    path("break/", own_views.pause, name="review-break"),
    path("break/later", own_views.pause_later, name="review-break-later"),
]
