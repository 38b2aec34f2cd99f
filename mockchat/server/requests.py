"""Read a request's body and query as the contract wants them, or refuse it in the API's words."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import parse_qsl

from mockchat.contract.pointers import pointer_of
from mockchat.contract.validation import schema_violations
from mockchat.exchange import ApiError, Violation, header
from mockchat.server import wire
from mockchat.server.reports import logger
from mockchat.server.service import Call, Refusal, Service
from mockchat.types import Json, JsonObject, JsonView

_JSON_TYPE = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,300}", re.ASCII)
_read_again = json.JSONDecoder().decode
_DEEP = re.compile(r"([^\[\]]+)\[(.*)\]", re.DOTALL)


def read_body(service: Service, call: Call, document: str) -> JsonObject:
    """Decode the body, judge it by `document`, and return it; what is found stands in `call`.

    A content type that is not JSON makes the service see no members at all, so that it answers as
    to `{}`; a missing one is taken for JSON, and `Accept` is not looked at.

    Raises:
        Refusal: It is compressed, is no JSON object, or breaks the contract under a validation that
            refuses.
    """
    encoding = header(call.incoming.headers, "content-encoding")
    if encoding is not None and encoding.strip().lower() != "identity":
        raise Refusal(_encoded(encoding))
    content_type = header(call.incoming.headers, "content-type")
    if content_type is not None and not _is_json(content_type):
        call.violations += (_note("http.content-type", f"{content_type!r} is not a JSON type"),)
        if service.refuses:
            call.request = {}
    if call.request is None:
        call.known = service.memory.get(call.path, call.incoming.body)
        if call.known is not None:
            call.known.is_repeated = True
            # Decoded anew, since tests may change what they are given.
            again: JsonObject = _read_again(call.incoming.body.decode())
            call.request = again
            return again
        call.request = _decoded(service, call)
    found = _judged(service, call.request, document)
    call.violations += found
    if not call.violations and isinstance(call.request, dict):
        call.known = service.memory.keep(call.path, call.incoming.body)
    wrong = [violation for violation in found if not violation.is_note]
    if wrong and (service.refuses or not isinstance(call.request, dict)):
        raise Refusal(service.contract.api_error(wrong[0], call.request))
    for violation in wrong:
        where = violation.pointer or "/"
        logger.warning("%s breaks the contract: %s: %s", document, where, violation.message)
    body: JsonObject = call.request
    return body


def read_query(service: Service, call: Call, schemas: Mapping[str, JsonView]) -> None:
    """Decode the query parameters that an operation has into `call.query`, defaults filled in.

    The last of repeated parameters counts; ones the operation does not have are ignored, as are
    values that break their schema under a validation that does not refuse.

    Raises:
        Refusal: A value breaks its schema under a validation that refuses.
    """
    if not schemas:
        return
    given = query_fields(call.incoming.query)
    for name, schema in schemas.items():
        if name in given:
            value = typed(given[name], schema)
            found = [_within(name, violation) for violation in schema_violations(schema, value)]
            call.violations += tuple(found)
            if found and service.refuses:
                raise Refusal(service.contract.api_error(found[0], {name: value}))
            if not found:
                call.query[name] = value
        if name not in call.query and "default" in schema:
            call.query[name] = schema["default"]


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return _JSON_TYPE.fullmatch(media_type) is not None


def _decoded(service: Service, call: Call) -> Json:
    try:
        decoded = wire.decode_body(call.incoming.body)
    except wire.BadBody as bad:
        call.violations += (_note(f"wire.{bad.kind}", bad.detail),)
        raise service.error("invalid_json") from None
    if decoded.duplicate_keys:
        names = ", ".join(map(repr, decoded.duplicate_keys))
        call.violations += (_note("wire.duplicate-key", f"repeated, the last one counts: {names}"),)
    return decoded.value


def _encoded(encoding: str) -> ApiError:
    """Return the refusal of a compressed body: what it would become is bounded by nothing."""
    return ApiError(
        status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        type="invalid_request_error",
        message=f"The request's body is encoded as {encoding!r}. Send it as it is.",
        headers=(("accept-encoding", "identity"),),
    )


def _judged(service: Service, body: Json, document: str) -> tuple[Violation, ...]:
    validation = service.settings.validation
    if validation == "off" and isinstance(body, dict):
        return ()
    rules = validation != "schema"
    if document == "request":
        return service.contract.request_violations(body, rules=rules)
    return service.contract.violations(document, body, rules=rules)


def _note(rule: str, message: str) -> Violation:
    return Violation(rule=rule, pointer="", message=message, is_note=True)


def query_fields(query: str) -> JsonObject:
    """Decode a query string; `name[key]=value` makes an object, as OpenAPI's deepObject says."""
    fields: JsonObject = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        deep = _DEEP.fullmatch(name)
        if deep is None:
            fields[name] = value
        elif isinstance(fields.setdefault(deep[1], {}), dict):
            fields[deep[1]][deep[2]] = value
    return fields


def typed(value: Json, schema: JsonView) -> Json:
    """Return a value of a query as its schema has it, where that can be."""
    is_integer = schema.get("type") == "integer" and isinstance(value, str)
    return int(value) if is_integer and _INTEGER.fullmatch(value) else value


def _within(name: str, violation: Violation) -> Violation:
    return replace(violation, pointer=pointer_of((name,)) + violation.pointer)
