# SPDX-License-Identifier: Apache-2.0
"""Holds every answer of the REST API against the OpenAPI document that the server itself serves.

For a test the document is closed: a key that it does not name is a mistake, although clients ignore it. So is a change
that was accepted although its body does not have the documented shape.
"""

import copy
import json
import re

import fastjsonschema
import requests

BASE = "/occtr"  # of paths in the document
PREFIX = "/vcp/v1" + BASE  # of paths on the wire
REQUEST_ID = re.compile(r"[0-9a-f]{8}")


class Broken(AssertionError):
    """An answer that is not what the document says."""


def close(schema):
    """Objects whose keys are listed have no others."""
    if isinstance(schema, dict):
        if "properties" in schema and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
        for part in schema.values():
            close(part)
    elif isinstance(schema, list):
        for part in schema:
            close(part)


class Contract:
    """One document; thread safe enough for tests: the worst that two threads do is to compile a shape twice."""

    def __init__(self, document):
        self.document = document
        self.paths = []
        for path, methods in document["paths"].items():
            parts = ["[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path)]
            self.paths.append((path, re.compile("".join(parts)), methods))
        self.paths.sort(key=lambda entry: entry[0].count("{"))  # a path without parameters wins
        self.closed = copy.deepcopy(document["components"])
        close(self.closed["schemas"])
        self.validators = {}
        self.seen = set()

    def operations(self):
        """All of them, each as its method and path in the document."""
        return {(method.upper(), path) for path, methods in self.document["paths"].items() for method in methods}

    def route(self, method, path):
        """Which of them a request is, or None."""
        method = "GET" if method == "HEAD" else method
        for name, pattern, methods in self.paths:
            if pattern.fullmatch(BASE + path) and method.lower() in methods:
                return method, name
        return None

    def refusals(self):
        """The ways to refuse: pairs of status and exception."""
        found = set()
        for name, response in self.document["components"]["responses"].items():
            status = int(name.removeprefix("refused_"))
            found |= {(status, exception) for exception in response["description"].split(", ")}
        return found

    def validate(self, schema, value, closed=True):
        key = (json.dumps(schema), closed)
        if key not in self.validators:
            components = self.closed if closed else self.document["components"]
            self.validators[key] = fastjsonschema.compile({**schema, "components": components})
        self.validators[key](value)

    def resolve(self, part):
        while "$ref" in part:
            node = self.document
            for name in part["$ref"].removeprefix("#/").split("/"):
                node = node[name]
            part = node
        return part

    def check(self, method, path, response, sent=None):
        """Raises Broken. `path` is relative to the base URL of clients; `response` is one of requests."""
        where = f"{method} {path} -> {response.status_code}"
        try:
            self.check_answer(method, path.split("?")[0], response, sent)
        except (fastjsonschema.JsonSchemaException, ValueError) as error:
            raise Broken(f"{where}: {error}: {response.text[:2000]}") from None

    def check_answer(self, method, path, response, sent):
        if not response.headers.get("Content-Type", "").startswith("application/json"):
            raise ValueError(f"Content-Type is {response.headers.get('Content-Type')}")
        if not REQUEST_ID.fullmatch(response.headers.get("X-Request-Id", "")):
            raise ValueError("no X-Request-Id")
        if method in ("HEAD", "OPTIONS"):  # no body, or no route of the table
            return
        route = self.route(method, path)
        operation = route and self.document["paths"][route[1]][route[0].lower()]
        if operation is None:
            if response.status_code < 400:
                raise ValueError("the document knows nothing of this request")
            schema = {"$ref": "#/components/schemas/Error"}
        else:
            answers = operation["responses"]
            if str(response.status_code) not in answers:
                raise ValueError(f"the document has only {', '.join(sorted(answers))} for it")
            schema = self.resolve(answers[str(response.status_code)])["content"]["application/json"]["schema"]
        known = (json.dumps(schema), hash(response.content))
        if known not in self.seen:  # what is polled is mostly the same
            self.validate(schema, response.json())
            self.seen.add(known)
        if sent is not None and response.status_code < 300:
            if "requestBody" not in operation:
                raise ValueError("a body was sent and the document has none")
            self.validate(operation["requestBody"]["content"]["application/json"]["schema"], sent, closed=False)


def checked(url, verify, response):
    """The response of requests, which went below `url` or to another door of the same server, after a look at it."""
    path = response.request.path_url.removeprefix(PREFIX)
    served(url, verify).check(response.request.method, path, response)
    return response


_served = []


def served(url, verify):
    """The contract of the server at `url`, asked for once in a process: all servers of a test are of one build."""
    if not _served:
        answer = requests.get(url + "/openapi.json", verify=verify)
        answer.raise_for_status()
        _served.append(Contract(answer.json()))
    return _served[0]
