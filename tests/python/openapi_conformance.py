"""Asks every route of docs/openapi.yaml through `narthex proxy`, with its examples and with requests that schemathesis invents, and holds
each answer against the document: status, media type, body.

usage: openapi_conformance.py DOCUMENT BASE_URL MODEL
"""
import sys
import time
import unittest

import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, checks

DOCUMENT, BASE_URL, MODEL = sys.argv[1:4]
# Requests that are invented for one route in each way, and seconds after which no more are.
EXAMPLES, SECONDS = 15, 50
STARTED = time.monotonic()
LIMITS = {"/v1/chat/completions": "max_completion_tokens", "/v1/completions": "max_tokens", "/v1/responses": "max_output_tokens"}
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

document = schemathesis.openapi.from_path(DOCUMENT)
document.config.update(base_url=BASE_URL.removesuffix("/v1"))
with open(DOCUMENT, encoding="utf-8") as file:
    paths = yaml.safe_load(file)["paths"]


def ask(case):
    return case.call_and_validate(checks=CHECKS, timeout=60)


def ask_the_model(case):
    """The same of the model that is there, for a short answer; what a schema cannot say is put right."""
    body = case.body
    if isinstance(body, dict):
        body["model"] = MODEL
        if case.operation.path in LIMITS:
            body[LIMITS[case.operation.path]] = 1
        if not body.get("stream"):
            body.pop("stream_options", None)
    if case.path_parameters:
        case.path_parameters["id"] = MODEL
    ask(case)


class Conformance(unittest.TestCase):
    """Two tests for each route, made below."""


def invented(operation):
    def run(mode, answer):
        asked = []

        def once(case):
            # One at least, however slow the machine.
            if not asked or time.monotonic() - STARTED < SECONDS:
                asked.append(case)
                answer(case)

        BOUNDED(given(case=operation.as_strategy(generation_mode=mode))(once))()
        assert asked

    def test(_self):
        run(GenerationMode.POSITIVE, ask_the_model)
        if operation.method == "post":
            run(GenerationMode.NEGATIVE, ask)

    return test


def written(operation):
    content = paths[operation.path][operation.method].get("requestBody", {}).get("content", {})
    examples = content.get("application/json", {}).get("examples", {})

    def test(self):
        for name, example in examples.items():
            with self.subTest(name):
                body = example["value"] | {"model": MODEL}
                answer = ask(operation.Case(body=body, media_type="application/json"))
                expected = 400 if operation.path == "/v1/embeddings" else 200
                self.assertEqual(answer.status_code, expected, answer.text)

    return test


for result in document.get_all_operations():
    operation = result.ok()
    for make in (invented, written):
        setattr(Conformance, f"test_{operation.method} {operation.path} {make.__name__}", make(operation))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
