"""Routes of the review pages."""

from django.urls import path

from reclaim.platform.review import views

# Numbers are read by the views: a malformed one is refused without a session as any other is.
urlpatterns = [
    path("", views.queue, name="staff-home"),
    path("matches/<str:number>/", views.match, name="review-match"),
    path("matches/<str:number>/picture", views.picture, name="review-picture"),
    path("matches/<str:number>/decision", views.decision, name="review-decision"),
]
