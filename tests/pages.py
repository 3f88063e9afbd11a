"""The person's pages that anybody can open."""

PERSON_PAGES = (
    "/",
    "/start/",
    "/start/notes/",
    "/start/age/",
    "/start/other/",
    "/start/what/",
    "/start/checking/",
    "/start/files/",
    "/help/now/",
    "/help/a/",
    "/help/b/",
    "/help/c/",
    "/help/d/",
    "/help/e/",
    "/case/",
    "/case/lost/",
    "/privacy/",
)
