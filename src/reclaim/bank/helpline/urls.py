"""Routes of practitioners."""

from django.urls import include, path

from reclaim.bank.helpline import case_views, team_views, views

urlpatterns = [
    path("", views.home, name="casework-home"),
    path("cases/", views.case_files, name="case-files"),
    path("new/", views.new_case_file, name="case-file-new"),
    path("break/", views.pause, name="helpline-break"),
    path("break/later/", views.pause_later, name="helpline-break-later"),
    path("cases/<uuid:case_file>/", case_views.case_file, name="case-file"),
    path("cases/<uuid:case_file>/facts/", case_views.facts, name="case-file-facts"),
    path("cases/<uuid:case_file>/status/", case_views.status, name="case-file-status"),
    path("cases/<uuid:case_file>/adults/", case_views.adults, name="case-file-adults"),
    path("cases/<uuid:case_file>/take/", case_views.take_up, name="case-file-take"),
    path("cases/<uuid:case_file>/notes/", case_views.note, name="case-file-note"),
    path("cases/<uuid:case_file>/notes/<uuid:note>/", case_views.correct, name="case-file-correct"),
    path("cases/<uuid:case_file>/tasks/", case_views.task, name="case-file-task"),
    path("cases/<uuid:case_file>/tasks/<uuid:task>/", case_views.task_done, name="case-file-task-done"),
    path("cases/<uuid:case_file>/case/", case_views.link_case, name="case-file-case"),
    path("cases/<uuid:case_file>/case/confirm/", case_views.confirm, name="case-file-confirm"),
    path("cases/<uuid:case_file>/invite/", case_views.invite, name="case-file-invite"),
    path("cases/<uuid:case_file>/close/", case_views.close_case_file, name="case-file-close"),
    path("cases/<uuid:case_file>/reopen/", case_views.reopen_case_file, name="case-file-reopen"),
    path("cases/<uuid:case_file>/erase/", case_views.erase_case_file, name="case-file-erase"),
    path("cases/<uuid:case_file>/hand-over/", team_views.hand_over, name="case-file-hand-over"),
    path("cases/<uuid:case_file>/hand-over/back/", team_views.hand_over_back, name="case-file-hand-over-back"),
    path("offered/<uuid:handover>/", team_views.offered, name="case-file-offered"),
    path("supervision/", team_views.supervision, name="supervision"),
    path("numbers/", team_views.numbers, name="numbers"),
    path("numbers.csv", team_views.numbers_csv, name="numbers-csv"),
    path("export/", team_views.export, name="case-files-export"),
    path("people/", include("reclaim.bank.helpline.people_urls")),
]
