"""Asks every route of docs/openapi.yaml through `narthex proxy`, with its examples and with requests that schemathesis invents, and holds
each answer against the document: status, media type, body.

usage: openapi_conformance.py DOCUMENT BASE_URL MODEL
"""
import sys
import time
import unittest

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks

DOCUMENT, BASE_URL, MODEL = sys.argv[1:4]
#: Requests that are invented for one route, and seconds that all routes may take.
EXAMPLES, SECONDS = 25, 50
STARTED = time.monotonic()
LIMITS = {"/v1/chat/completions": "max_completion_tokens", "/v1/completions": "max_tokens", "/v1/responses": "max_output_tokens"}
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]

document = schemathesis.openapi.from_path(DOCUMENT)
document.config.update(base_url=BASE_URL.removesuffix("/v1"))


def ask(case):
    """Short answers of the model that is there; what the schema cannot say is put right."""
    body = case.body
    if isinstance(body, dict):
        body["model"] = MODEL
        if case.operation.path in LIMITS:
            body[LIMITS[case.operation.path]] = 1
        if not body.get("stream"):
            body.pop("stream_options", None)
    if case.path_parameters:
        case.path_parameters["id"] = MODEL
    case.call_and_validate(checks=CHECKS, timeout=60)


class Conformance(unittest.TestCase):
    """One test for each route, made below."""


def conforms(operation):
    def test(self):
        bounded = settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )

        def run(case):
            if time.monotonic() - STARTED < SECONDS:
                ask(case)

        schemathesis_test = operation.as_strategy()
        from hypothesis import given

        bounded(given(case=schemathesis_test)(lambda case: run(case)))()

    return test


for result in document.get_all_operations():
    operation = result.ok()
    name = f"test_{operation.method}_{operation.path}"
    setattr(Conformance, name, conforms(operation))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
