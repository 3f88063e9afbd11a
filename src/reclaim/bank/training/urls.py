"""Routes of a training, beneath ``/training/``; only in a sandbox."""

from django.urls import path

from reclaim.bank.training import views

urlpatterns = [
    path("", views.home, name="training-home"),
    path("leave/", views.leave_group, name="training-leave"),
    path("scenario/<slug:key>/", views.scenario, name="training-scenario"),
    path("play/<uuid:play>/<int:number>/", views.step, name="training-step"),
    path("play/<uuid:play>/<int:number>/open/", views.open_step, name="training-open"),
    path("play/<uuid:play>/debrief/", views.debrief, name="training-debrief"),
    path("outbox/", views.outbox, name="training-outbox"),
    path("certificate/", views.certificate, name="training-certificate"),
    path("verify/", views.verify, name="training-verify"),
    path("facilitator/", views.facilitator, name="training-facilitator"),
    path("facilitator/groups/", views.groups, name="training-groups"),
    path("facilitator/groups/<uuid:key>/", views.group, name="training-group"),
]
