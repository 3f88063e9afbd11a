"""The OpenAPI document of version 2, and that the bank does what it says: asked with what fits it and what does not."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from reclaim.bank.exchange import snapshots
from tests.personas import a_case
from tests.v2 import Native

pytestmark = pytest.mark.django_db

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 6


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Native:
    monkeypatch.setattr(snapshots, "start_maker", lambda: None)
    a_case(1, 2)
    return Native.vetted()


def test_the_document_is_openapi_3_1_and_names_the_key_that_each_operation_needs() -> None:
    document = Client().get("/v2/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    operations = {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    public = {key for key, operation in operations.items() if "security" not in operation}
    assert {("get", "/")} <= public
    assert ("get", "/signals") not in public
    names = [operation["operationId"] for operation in operations.values()]
    assert len(names) == len(set(names))
    assert all(operation.get("description") for operation in operations.values())
    for operation in operations.values():
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_whatever_is_asked_the_bank_answers_as_its_document_says_and_breaks_at_nothing(
    platform: Native, mode: GenerationMode
) -> None:
    logging.getLogger("schemathesis").setLevel(logging.ERROR)
    schema = schemathesis.openapi.from_wsgi("/v2/openapi.json", get_wsgi_application())
    asked = 0

    def ask(case: Any) -> None:
        nonlocal asked
        asked += 1
        case.call_and_validate(headers=platform.headers("platform"), checks=[*CHECKS, negative_data_rejection])

    for found in schema.get_all_operations():
        operation = found.ok()
        examples = settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        # An operation that takes nothing cannot be asked with what does not fit.
        with contextlib.suppress(Unsatisfiable):
            examples(given(operation.as_strategy(mode))(ask))()
    assert asked > 20
