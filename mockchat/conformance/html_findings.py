"""What a report found, one by one: what is wrong, how to mend it, and the bytes that show it."""

from collections.abc import Iterator

from mockchat.conformance.answers import JSON_TYPE
from mockchat.conformance.as_curl import as_curl
from mockchat.conformance.as_test import Again, told_again
from mockchat.conformance.html_matrix import state
from mockchat.conformance.marks import span_of
from mockchat.conformance.markup import Child, Markup, element, joined, prose, visible
from mockchat.conformance.mending import how_to_mend
from mockchat.conformance.observed import Finding
from mockchat.conformance.report import Report, Sending, check_of, fails
from mockchat.contract.wording import shown
from mockchat.scripting.credentials import is_credential

_BEFORE, _AFTER = 800, 1_600
"""How much of a body stands around the marked part, in characters."""
_LONGEST_MARK = 600
_LONGEST_LINE = 400
_MOST_FIELDS = 40
_SEARCHED = 4 * 1024 * 1024
"""In how much of a body a part is looked for; larger ones are shown from their start."""


def finding_section(
    anchor: str, found: tuple[Finding, int, Sending], report: Report, *, target: str
) -> Markup:
    """Return one finding, to be opened.

    Args:
        anchor: Its id in the page.
        found: What was found, how often, and the probe that showed it first.
        report: The report it is of.
        target: What was checked, as it is shown.
    """
    finding, count, sending = found
    kind = "failed" if fails(finding) else "note"
    often = element("span", f"{count} times", class_="soft") if count > 1 else ""
    message = visible(_clipped(_as_sentence(finding.violation.message)))
    head = element(
        "summary",
        state(kind),
        " ",
        element("code", finding.check),
        " ",
        element("span", message, class_="message"),
        " ",
        often,
    )
    told = element("dl", _facts(finding, sending))
    again = told_again(report, finding, sending, target=target)
    body = element(
        "div",
        told,
        _request(sending, target),
        () if again is None else _test(again),
        _answer(finding, sending),
    )
    return element("details", head, body, class_=f"finding {kind}", id=anchor)


def _facts(finding: Finding, sending: Sending) -> Iterator[Markup]:
    violation, check = finding.violation, check_of(finding)
    yield _fact("How to mend it", element("strong", prose(_clipped(how_to_mend(finding)))))
    yield _fact("Where", *_where(finding), " to the probe ", _code(finding.probe))
    if violation.expected is not None:
        found = _code(shown(violation.actual))
        yield _fact("Wanted", _code(_words(violation.expected)), ", found ", found)
    if check.clients:
        yield _fact(
            "Who breaks", element("ul", [element("li", prose(each)) for each in check.clients])
        )
    if check.sentence != violation.message:
        yield _fact("The rule", prose(_as_sentence(check.sentence)))
    if check.source:
        yield _fact("How we know", prose(check.source))
    yield _fact("Counts", *_counts(finding, sending))


def _fact(name: str, *told: Child) -> Markup:
    return joined(element("dt", name), element("dd", *told))


def _where(finding: Finding) -> Iterator[Child]:
    pointer = finding.violation.pointer
    if not pointer:
        yield "the whole answer"
        return
    number, _, rest = pointer[1:].partition("/")
    if _is_of_events(finding) and number.isdecimal():
        yield f"event {number}"
        if rest:
            yield ", "
            yield _code(f"/{rest}")
    else:
        yield _code(pointer)
    yield " in the answer"


def _counts(finding: Finding, sending: Sending) -> Iterator[Child]:
    violation, check = finding.violation, check_of(finding)
    if fails(finding):
        yield f"at level {violation.level}; "
    elif check.is_advisory:
        yield f"from the next minor release on, being new in {check.since}; "
    elif check.severity == "advice":
        yield "as advice, which never fails a run; "
    else:
        yield f"only at level {violation.level}, so it fails nothing here; "
    yield _code(f"--skip {finding.check}")
    yield " leaves it out"
    if sending.probe.capability:
        yield f"; capability {sending.probe.capability}"


def _request(sending: Sending, target: str) -> Markup:
    sent = sending.probe.sent
    lines: list[str] = [element("b", visible(f"{sent.method} {sent.path}")), "\n"]
    if sent.body is not None:
        lines += [f"content-type: {JSON_TYPE}\n"]
    lines += [
        visible(f"{name}: {text}\n") for name, text in sent.headers if not is_credential(name)
    ]
    body = (sent.body or b"").decode("utf-8", "surrogateescape")
    lines += ["\n", *_around(body, None)] if body else []
    curl = _block(visible(as_curl(sent, target)))
    return joined(element("h4", "Request"), _block(lines), _heading("The same with curl"), curl)


def _test(again: Again) -> Iterator[Markup]:
    yield element("p", visible(_as_sentence(again.told)))
    yield _heading("The same as a test")
    yield _block(visible(again.test))


def _heading(text: str) -> Markup:
    button = element("button", "copy", type="button", data_copy=True, hidden=True)
    return element("h4", text, " ", button)


def _answer(finding: Finding, sending: Sending) -> Iterator[Markup]:
    answered = sending.answered
    yield element("h4", "Answer")
    if answered.failure is not None:
        told = f"Not whole ({answered.failure.value}): {answered.detail}"
        yield element("p", visible(_clipped(told)), class_="stopped")
    if answered.status is not None:
        head = f"HTTP {answered.status}"
        fields = [
            visible(_clipped(f"{name}: {'(left out)' if is_credential(name) else text}"))
            for name, text in answered.headers[:_MOST_FIELDS]
        ]
        many = len(answered.headers)
        more = element("span", f", {many} header field{'' if many == 1 else 's'}", class_="soft")
        lines = _block([joined(field, "\n") for field in fields])
        yield element("details", element("summary", element("code", head), more), lines)
    text = answered.body.decode("utf-8", "surrogateescape")
    if text:
        size = element("span", f"{len(answered.body):,} bytes", class_="soft")
        yield element("p", "Body, ", size)
        yield _block(_around(text, _span(finding, text)))


def _block(told: Child) -> Markup:
    """Return lines as they are; HTML drops the first break of a block, so that one is ours."""
    return element("pre", "\n", told)


def _span(finding: Finding, text: str) -> tuple[int, int] | None:
    if not finding.violation.pointer or len(text) > _SEARCHED:
        return None
    return span_of(text, finding.violation.pointer, is_stream=_is_of_events(finding))


def _around(text: str, span: tuple[int, int] | None) -> Iterator[Markup]:
    """Yield what stands around a part of a text, that part marked; the rest is counted."""
    start, end = span or (0, 0)
    first, last = max(0, start - _BEFORE), min(len(text), end + _AFTER)
    if first:
        yield _cut(text[:first])
    yield visible(text[first:start])
    if span is not None:
        yield element("mark", *_long(text[start:end]))
    yield visible(text[end:last])
    if last < len(text):
        yield _cut(text[last:])


def _long(text: str) -> Iterator[Markup]:
    if len(text) <= _LONGEST_MARK:
        yield visible(text)
        return
    half = _LONGEST_MARK // 2
    yield visible(text[:half])
    yield _cut(text[half:-half])
    yield visible(text[-half:])


def _cut(text: str) -> Markup:
    size = len(text.encode("utf-8", "surrogateescape"))
    return element("span", f" … {size:,} bytes left out … ", class_="cut")


def _is_of_events(finding: Finding) -> bool:
    return finding.check.startswith("stream.") or finding.check == "schema.chunk"


def _code(text: str) -> Markup:
    return element("code", visible(_clipped(text)))


def _words(expected: object) -> str:
    if isinstance(expected, list):
        return ", ".join(map(shown, expected))
    return expected if isinstance(expected, str) else shown(expected)


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"
