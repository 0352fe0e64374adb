"""The files of Documentation/Schema, and what holds traffic against them."""

import copy
import json
import pathlib
import re
from urllib.parse import urlsplit

import httpx
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "Documentation/Schema"
BASE = "https://documents.invalid/"
MESSAGES, SERVICE, ADMIN, STREAMS = "messages.schema.json", "openapi.yaml", "admin.openapi.yaml", "asyncapi.yaml"
STREAMED = ("text/event-stream", "application/x-ndjson")


def read(name: str):
    return yaml.safe_load((FOLDER / name).read_text())


def closed(schema):
    """The same, but what it does not name is wrong: clients let the service add fields, and a test does not."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        if "additionalProperties" not in schema:
            result["unevaluatedProperties"] = False
    return result


class Documents:
    """Remembers what it saw: types of messages with their direction, codes of errors, and responses."""

    def __init__(self):
        self.names = [MESSAGES, SERVICE, ADMIN]
        self.whole = {name: read(name) for name in self.names}
        contents = {name: closed(copy.deepcopy(whole)) for name, whole in self.whole.items()}
        resources = [(BASE + name, Resource(contents[name], DRAFT202012)) for name in self.names]
        self.registry = Registry().with_resources(resources)
        self.seen: set[tuple] = set()

    # Messages

    def check(self, instance, pointer: str, document: str = MESSAGES):
        schema = {"$ref": f"{BASE}{document}#{pointer}"}
        validator = Draft202012Validator(schema, registry=self.registry, format_checker=FormatChecker())
        error = best_match(validator.iter_errors(instance))
        assert error is None, f"{pointer} of {document}: {error.message}, in {json.dumps(instance)[:2000]}"

    def definitions(self, union: str) -> list[str]:
        """The names of the messages that a union comes to."""
        schema = self.whole[MESSAGES]["$defs"][union]
        if "anyOf" not in schema:
            return [union]
        names = [each["$ref"].removeprefix("#/$defs/") for each in schema["anyOf"] if "$ref" in each]
        return [name for each in names for name in self.definitions(each)]

    def problems(self, message: dict) -> list[str]:
        """Why it is no message of each side; empty where it is one."""
        result = []
        for union in ("hello", "resume", "clientMessage", "serverMessage"):
            try:
                self.check_message(message, union)
                result.append("")
            except AssertionError as problem:
                result.append(str(problem))
        return result

    def check_message(self, message: dict, union: str):
        """As one of a union, by its type, so that what is wrong is said of the right one."""
        kinds = [name for name in self.definitions(union) if self.has_type(name, message)]
        if len(kinds) == 1:
            self.check(message, f"/$defs/{kinds[0]}")
        else:
            self.check(message, f"/$defs/{union}")
        direction = "up" if union in ("hello", "resume", "clientMessage") else "down"
        self.seen.add((direction, message["t"], "seq" in message and direction == "down"))
        if message["t"] == "error":
            self.seen.add(("code", message["code"]))

    def has_type(self, name: str, message: dict) -> bool:
        properties = self.whole[MESSAGES]["$defs"][name].get("properties", {})
        relays = name == "relayed" and "peer" in message.get("from", {})
        if relays or properties.get("t") != {"const": message.get("t")}:
            return relays
        return all((field in properties) == (field in message) for field in ("seq", "status"))

    def check_up(self, body):
        for message in body if isinstance(body, list) else [body]:
            first = message.get("t") in ("hello", "resume")
            self.check_message(message, message["t"] if first else "clientMessage")

    def check_down(self, message: dict):
        self.check_message(message, "serverMessage")

    def check_event(self, message: dict):
        self.check_message(message, "event")

    # HTTP

    def operation(self, document: str, method: str, path: str):
        """The template of a path, and what is said of the method there."""
        for template, item in self.whole[document].get("paths", {}).items():
            pattern = "".join("[^/]+" if part[0] == "{" else re.escape(part) for part in re.split(r"(\{\w+\})", template) if part)
            if re.fullmatch(pattern, path):
                return template, item.get(method.lower())
        return None, None

    def check_response(self, response: httpx.Response, document: str, body: bytes | None):
        """A response by its status, headers and content, and the request if it was accepted."""
        method, path = response.request.method, urlsplit(str(response.request.url)).path
        template, operation = self.operation(document, method, path)
        status = str(response.status_code)
        if operation is None:
            expected = {"HEAD": ("200", "204", "400"), "OPTIONS": ("200", "204")}.get(method, ("405" if template else "404",))
            assert status in expected, f"{document} has no {method} {path}, which answered {status}"
            return
        where = f"{method} {template} {status}"
        assert status in operation["responses"], f"{where} is not in {document}: {body}"
        at = f"/paths/{template.replace('~', '~0').replace('/', '~1')}/{method.lower()}/responses/{status}"
        said = operation["responses"][status]
        if "$ref" in said:
            at = said["$ref"].removeprefix("#")
            said = self.whole[document]["components"]["responses"][at.rsplit("/", 1)[1]]
        for name, header in said.get("headers", {}).items():
            assert name in response.headers or header.get("required") is False, f"{where} has no {name}"
        self.check_content(response, said, at, where, document, body)

    def check_content(self, response, said, at, where, document, body):
        kind = response.headers.get("content-type", "").split(";")[0]
        code = None
        if body or kind:
            assert kind in said.get("content", {}), f"{where} has {kind!r}, which is not in {document}"
        if body and kind.endswith("json") and kind not in STREAMED:
            content = json.loads(body)
            self.check(content, f"{at}/content/{kind.replace('/', '~1')}/schema", document)
            if kind == "application/problem+json":
                assert content["status"] == response.status_code
                code = content["code"]
            self.seen |= {("code", result["error"]["code"]) for result in content.get("results", []) if "error" in result}
            for event in content.get("events", []) if where.startswith("GET /v1/sessions/{sid}/events") else []:
                self.check_event(event)
        self.seen.add(("http", document, where, code))

    def hook(self, document: str):
        """For httpx.AsyncClient: looks at whatever is answered."""

        async def look(response: httpx.Response):
            kind = response.headers.get("content-type", "").split(";")[0]
            isStream = response.status_code == 200 and kind in STREAMED
            self.check_response(response, document, None if isStream else await response.aread())
            if response.status_code == 202 and response.request.url.path.endswith("/messages"):
                results = response.json().get("results", []) if document == SERVICE else []
                sent = json.loads(response.request.content) if document == SERVICE else []
                for message, result in zip(sent if isinstance(sent, list) else [sent], results):
                    if "ok" in result:
                        self.check_up(message)

        return look


class Heard(list):
    """A list that looks at whatever is put into it."""

    def __init__(self, look):
        super().__init__()
        self.look = look

    def append(self, each):
        self.look(each)
        super().append(each)

    def __iadd__(self, many):
        for each in many:
            self.append(each)
        return self
