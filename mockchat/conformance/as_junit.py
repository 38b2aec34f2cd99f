"""A report as JUnit XML, as build servers read it: a case for each check."""

from xml.etree import ElementTree as ET

from mockchat.conformance.as_text import as_failure
from mockchat.conformance.report import Report, Verdict

_MOST_NOTES = 20


def as_junit(report: Report, *, target: str) -> bytes:
    """Return a report as JUnit XML.

    A check that failed is a failure, one that never applied is skipped, notes are what a passed one
    printed. A run that ended early is a case of its own with an error, so that the count of errors
    is the number of cases that have one.

    Args:
        report: The report.
        target: What was checked, as it is shown.
    """
    verdicts = report.verdicts()
    counted = list(verdicts.values())
    is_stopped = report.stopped is not None
    suite = ET.Element(
        "testsuite",
        name=_clean(f"mockchat check {target}"),
        tests=str(len(verdicts) + is_stopped),
        failures=str(counted.count(Verdict.FAILED)),
        errors=str(int(is_stopped)),
        skipped=str(counted.count(Verdict.SKIPPED)),
        time=f"{report.seconds:.3f}",
    )
    for name, verdict in verdicts.items():
        case = _case(suite, name)
        if verdict is Verdict.FAILED:
            first = next(each for each in report.failures if each.check == name)
            message = _clean(" ".join(first.violation.message.split()))
            failure = ET.SubElement(case, "failure", message=message, type=name)
            failure.text = _clean(as_failure(report, name, target=target))
        elif verdict is Verdict.SKIPPED:
            ET.SubElement(case, "skipped", message="no answer it applies to")
        elif verdict is Verdict.ADVICE:
            ET.SubElement(case, "system-out").text = _clean(_notes(report, name))
    if report.stopped is not None:
        error = ET.SubElement(_case(suite, "run.ended"), "error", type="ended early")
        error.set("message", _clean(report.stopped))
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def _case(suite: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(
        suite, "testcase", classname=name.partition(".")[0], name=name, time="0.000"
    )


def _notes(report: Report, check_id: str) -> str:
    """Return what a check noted, each once."""
    found = dict.fromkeys(
        f"{each.probe} {each.violation.pointer}: {each.violation.message}"
        for each in report.findings
        if each.check == check_id
    )
    return "\n".join([*found][:_MOST_NOTES])


def _clean(text: str) -> str:
    """Return `text` without what XML cannot hold."""
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)
