"""What lets anybody check the person's pages: the files' digests, and the worker that answers without a connection."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.served import manifest, served_files


@requires(Access.PUBLIC)
@require_safe
def files_json(request: HttpRequest) -> HttpResponse:
    """Every file that a browser may be given, with its digest and length."""
    return JsonResponse(manifest(), json_dumps_params={"indent": 1})


@requires(Access.PUBLIC)
@require_safe
def keep(request: HttpRequest) -> HttpResponse:
    """The service worker, at an address below the page of files: it can answer for that page and for no other."""
    return HttpResponse(served_files()["keep.js"].path.read_bytes(), content_type="text/javascript; charset=utf-8")
