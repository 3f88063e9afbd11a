"""Routes of the directory for those who keep it."""

from django.urls import path

from reclaim.bank.directory import staff_views

urlpatterns = [
    path("", staff_views.entries_page, name="directory-staff"),
    path("add/", staff_views.add_page, name="directory-add"),
    path("import/", staff_views.import_page, name="directory-import"),
    path("export/", staff_views.export, name="directory-export"),
    path("<slug:key>/", staff_views.entry_page, name="directory-entry"),
    path("<slug:key>/state/", staff_views.change_state, name="directory-state"),
    path("<slug:key>/check/", staff_views.check_page, name="directory-check"),
    path("<slug:key>/files/", staff_views.take_files, name="directory-files"),
]
