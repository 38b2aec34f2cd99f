"""A report as one HTML page that needs nothing else: no font, no request, and no script to be read."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files

from mockchat.conformance.as_text import answered, grouped
from mockchat.conformance.html_findings import finding_section
from mockchat.conformance.html_matrix import capabilities, matrix_of, picture, state, tally
from mockchat.conformance.markup import Child, Markup, element, joined, verbatim, visible
from mockchat.conformance.probes import asked_of
from mockchat.conformance.report import Report, fails


def as_html(
    report: Report,
    *,
    target: str,
    made_at: datetime | None = None,
    command: str | None = None,
    more: Iterable[Markup] = (),
) -> str:
    """Return the page.

    Everything a target said stands in it as text, and its policy lets a browser load nothing and
    run no script but the page's own, which adds keys and buttons.

    Args:
        report: The report.
        target: What was checked, as it is shown.
        made_at: When; now without it.
        command: The command that makes the run again, without credentials.
        more: Sections to stand behind the findings.
    """
    matrix = matrix_of(report)
    style = f"{_asset('report.css')}\n:root {{ --columns: {max(len(matrix.columns), 1)}; }}\n"
    script = _asset("report.js")
    when = (made_at or datetime.now(UTC)).astimezone(UTC)
    links: dict[str, str] = {}
    sections: dict[bool, list[Markup]] = {True: [], False: []}
    for number, found in enumerate(grouped(report), 1):
        anchor = f"finding-{number}"
        links.setdefault(found[0].check, anchor)
        section = finding_section(anchor, found, report, target=target)
        sections[fails(found[0])].append(section)
    main = element(
        "main",
        _verdict(report, target, when),
        element("section", element("h2", "Capabilities"), capabilities(report), _lacking(report)),
        element(
            "section", element("h2", "Capabilities and checks"), _switch(), picture(matrix, links)
        ),
        element("section", element("h2", "Findings"), *_findings(sections)),
        *more,
        element("section", element("h2", "The run"), _facts(report, target, when), _again(command)),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", visible(f"{_word(report)}: {target} - mockchat check")),
        verbatim("style", style),
    )
    body = element("body", main, verbatim("script", script))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def model_of(report: Report) -> str | None:
    """Return the model that the first request named; None where none did."""
    asked = (asked_of(sending.probe) for sending in report.sendings)
    return next(
        (str(each["model"]) for each in asked if each is not None and "model" in each), None
    )


def _asset(name: str) -> str:
    return files("mockchat.conformance").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return what a browser may do with the page: read its own style and run its own script."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)};"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _word(report: Report) -> str:
    if report.stopped is not None and not answered(report):
        return "Not judged"
    return "Conforms" if report.conforms else "Does not conform"


def _verdict(report: Report, target: str, when: datetime) -> Markup:
    kind = {"Conforms": "passed", "Not judged": "note"}.get(_word(report), "failed")
    shape = {"passed": "✓", "note": "?"}.get(kind, "✗")
    badge = element("span", element("span", shape, aria_hidden="true"), " ", _word(report))
    stopped = () if report.stopped is None else (_stopped(report.stopped),)
    told = f"mockchat check, profile {report.profile}, level {report.level}, {when:%Y-%m-%d}"
    return element(
        "header",
        element("p", told, class_="soft"),
        element("h1", visible(target)),
        element("p", element("strong", badge, class_=f"verdict {kind}")),
        stopped,
        tally(report),
    )


def _stopped(reason: str) -> Markup:
    return element("p", element("b", "Ended early: "), visible(reason), class_="stopped")


def _lacking(report: Report) -> Child:
    """Name what the target does not offer, each once with the probe that showed it."""
    if not report.unsupported:
        return ""
    items = [
        element(
            "li", visible(name), " ", element("span", visible(f"shown by {probe}"), class_="soft")
        )
        for name, probe in report.unsupported.items()
    ]
    heading = element("h3", state("unsupported"), " by this target, which fails nothing")
    return joined(heading, element("ul", items, class_="lacking"))


def _switch() -> Markup:
    box = element("input", type="checkbox", id="every")
    return element("p", element("label", box, " show the checks that found nothing, too"))


def _findings(sections: dict[bool, list[Markup]]) -> Iterator[Child]:
    if not any(sections.values()):
        yield element("p", "None.")
        return
    names = {"all": "open all", "none": "close all"}
    buttons = [
        element("button", text, type="button", data_open=which, hidden=True)
        for which, text in names.items()
    ]
    yield element("p", buttons, class_="buttons")
    for is_failure, heading in ((True, "Failures"), (False, "Notes, which fail nothing")):
        found = sections[is_failure]
        if found:
            yield element("h3", f"{heading} ({len(found)})")
            yield found


def _facts(report: Report, target: str, when: datetime) -> Markup:
    facts = {
        "Target": target,
        "Model": model_of(report) or "",
        "Profile": report.profile,
        "Level": report.level,
        "Date": f"{when:%Y-%m-%d %H:%M} UTC",
        "Requests": f"{report.requests} in {report.seconds:.1f} s",
        "Not sent": _counted(reason for _, reason in report.skipped),
        "Sent again": ", ".join(f"{name} {times} times" for name, times in report.repeated.items()),
        "Rate limited": ", ".join(report.limited),
        "Not judged": "; ".join(f"{name}: {reason}" for name, reason in report.unjudged.items()),
        "Made by": f"mockchat {version('mockchat')}",
    }
    told = [
        joined(element("dt", name), element("dd", visible(text)))
        for name, text in facts.items()
        if text
    ]
    return element("dl", told)


def _counted(reasons: Iterable[str]) -> str:
    """Return each reason with how often it was given."""
    return "; ".join(f"{times}: {reason}" for reason, times in Counter(reasons).items())


def _again(command: str | None) -> Child:
    if command is None:
        return ""
    button = element("button", "copy", type="button", data_copy=True, hidden=True)
    heading = element("h3", "Run it again ", button)
    return joined(heading, element("pre", visible(command)))
