"""A documented API on a site: django-ninja with the site's access table and its problem documents.

django-ninja reads messages into pydantic models and writes the OpenAPI document. Who may call is not its matter: each
function is marked with ``@requires`` as any view, and ``DenyByDefault`` asks before django-ninja is reached
(docs/decisions/0019-django-ninja-for-v2.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI, Router
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation, PathView
from ninja.parser import Parser
from pydantic_core import from_json

from reclaim.sitekit.access import Access, access_of, requires
from reclaim.sitekit.problems import PROBLEM_JSON, invalid_fields, problem

JSON = "application/json"


class _JsonAlone(Parser):
    """Bodies are JSON, read by the parser that pydantic has: bounded in depth, and exact."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        body: dict[str, Any] = from_json(request.body, allow_inf_nan=False)
        return body


class SiteApi(NinjaAPI):
    """An API whose every answer that refuses is a problem document, whatever the sender accepts."""

    def __init__(self, *, title: str, version: str, description: str, name: str) -> None:
        """``name`` is what its routes' names are below."""
        super().__init__(
            title=title,
            version=version,
            description=description,
            urls_namespace=name,
            openapi_url=None,
            docs_url=None,
            parser=_JsonAlone(),
        )

    def set_default_exception_handlers(self) -> None:
        """Refusals of django-ninja's own in the site's words; what is nobody's refusal goes on to the site."""
        handlers: Mapping[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
            ValidationError: lambda request, error: invalid_fields(422, error.errors),
            HttpError: _http_error,
            Http404: lambda request, error: _not_found(),
            RequestDataTooBig: _too_big,
        }
        for kind, handler in handlers.items():
            self.add_exception_handler(kind, handler)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The function's name: short names make readable generated clients."""
        return operation.view_func.__name__

    def document(self) -> dict[str, Any]:
        """The OpenAPI document, with addresses relative to the API's own."""
        document: dict[str, Any] = dict(self.get_openapi_schema(path_prefix=""))
        for router in self._get_bound_routers():
            for route, view in router.path_operations.items():
                methods = document["paths"][_route_in_document(f"{router.prefix}/{route}")]
                for each in view.operations:
                    for method in each.methods:
                        _complete(methods[method.lower()], access_of(each.view_func))
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        return {**document, "servers": [{"url": "."}]}

    @property
    def routes(self) -> list[URLPattern]:
        """What to include in a site's ``urlpatterns``."""
        document = requires(Access.PUBLIC)(partial(_document, self))
        return [path("openapi.json", document, name=f"{self.urls_namespace}-openapi"), *self._guarded()]

    def _guarded(self) -> Iterator[URLPattern]:
        for router in self._get_bound_routers():
            views = [view for view in router.path_operations.values() for _ in view.operations]
            for pattern, view in zip(router.urls_paths(router.prefix), views, strict=True):
                pattern.callback = _guarded(view)
                yield pattern

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        """Not to be used: routes without access would all be refused."""
        raise NotImplementedError("Include the API's routes.")


def _guarded(view: PathView) -> Callable[..., HttpResponseBase]:
    """A path's view, with the access that each method's function names; what names none stays closed."""
    serve = view.get_view()
    by_method = {method: access_of(each.view_func) for each in view.operations for method in each.methods}

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method not in by_method:
            answer = problem(405, "Not by this method", f"Use {' or '.join(sorted(by_method))} here.")
            answer["Allow"] = ", ".join(sorted(by_method))
            return answer
        if request.method not in ("GET", "HEAD") and request.content_type != JSON:
            return problem(415, "Not this kind of message", f"Send {JSON}, and say so in Content-Type.")
        response: HttpResponseBase = serve(request, *args, **kwargs)
        return response

    guarded.csrf_exempt = True  # type: ignore[attr-defined]
    guarded.access_by_method = by_method  # type: ignore[attr-defined]
    return guarded


def _route_in_document(route: str) -> str:
    return re.sub(r"{[^}:]+:", "{", re.sub("/+", "/", f"/{route}"))


def _complete(operation: dict[str, Any], access: Access | None) -> None:
    """What django-ninja does not know of an operation: who may call it, and what every refusal looks like."""
    refusal = {"$ref": "#/components/schemas/Problem"}
    refusals = {status: each for status, each in operation["responses"].items() if int(status) >= 400}
    refusals["default"] = {"description": "Any other refusal"}
    for each in refusals.values():
        each["content"] = {PROBLEM_JSON: {"schema": refusal}}
    operation["responses"] |= refusals
    if access is not Access.PUBLIC:
        operation["security"] = [{"key": []}]
        operation["description"] += f" For a {access}."


def _document(api: SiteApi, request: HttpRequest) -> HttpResponse:
    if request.method != "GET":
        answer = problem(405, "Not by this method", "Use GET here.")
        answer["Allow"] = "GET"
        return answer
    return api.create_response(request, api.document(), status=200)


def _not_found() -> HttpResponse:
    return problem(404, "There is nothing at this address", "Check the address, or start again at the API's own.")


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(error.status_code, "This message could not be read", "Send well-formed JSON. Nothing was taken.")


def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
    return problem(413, "This message is too large", f"Send at most {most} KiB at a time, in several parts.")


__all__ = ["Router", "SiteApi"]
