"""The pages that are made from code: they cannot tell anything else than what runs."""  # noqa: INP001 - no package

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import click

import mockchat
import mockchat.cases
import mockchat.strategies
from mockchat.cli import main
from mockchat.conformance.sources import source_in_words
from mockchat.contract.contract import contract_for
from mockchat.contract.profile import load_profile, profile_names
from mockchat.contract.rulebooks import BY_MODEL, EXCHANGE, REPLY, REQUEST, RESTATING
from mockchat.contract.stream_rules import STREAM_RULE_LEVELS, STREAM_RULE_SOURCES, STREAM_RULES
from mockchat.scripting.conditions import Conditions
from mockchat.server.script_options import ScriptOptions

REPLIES = ("text", "message", "tool_call", "refusal", "audio", "choices", "error", "generated")
FREEDOMS = ("unchecked", "mutated", "sometimes", "together", "contains", "matches_schema")
BOOKS = {
    "Requests": REQUEST,
    "Requests, restated": RESTATING,
    "Requests, by what a model can do": BY_MODEL,
    "Replies": REPLY,
    "Replies to a request": EXCHANGE,
}


def write(folder: Path) -> None:
    """Write all pages into `generated/` of a folder; a page that says the same is left alone."""
    target = folder / "generated"
    target.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        text = "\n".join(page()) + "\n"
        file = target / f"{name}.md"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def commands() -> Iterator[str]:
    """Yield the help of every command."""
    yield "# Commands\n"
    yield "What `mockchat COMMAND --help` prints."
    yield from _command(main, "mockchat")


def _command(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path, terminal_width=88, max_content_width=88)
    context.show_default = True
    yield f"\n## {path}\n"
    yield f"```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                yield from _command(found, f"{path} {name}")


def options() -> Iterator[str]:
    """Yield the options of scripts, as the marker and `script()` take them."""
    yield "# Options of a script\n"
    yield "Keywords of `@pytest.mark.mockchat(...)`, `mockchat_server.script(...)`,"
    yield "`mockchat_factory(...)` and `script_fixture(...)`; what the ini file and the command"
    yield "line call them stands in the [manual](manual.md#options-of-the-fixture).\n"
    yield from _attributes(ScriptOptions)


def matchers() -> Iterator[str]:
    """Yield the conditions of `when`."""
    yield "# Matchers\n"
    yield "Keywords of `mockchat.when(...)`; a request matches if all that are given hold."
    yield "[The manual](manual.md#matching-a-request) has examples.\n"
    yield from _attributes(Conditions)


def replies() -> Iterator[str]:
    """Yield the builders of replies, and what frees one from the contract."""
    yield "# Replies\n"
    yield from _documented(REPLIES)
    yield "\n## Beside replies\n"
    yield from _documented(FREEDOMS)


def python() -> Iterator[str]:
    """Yield everything else that the package exports."""
    yield "# Python\n"
    yield "What `mockchat` exports besides [replies](replies.md). Everything else is ours to change.\n"
    others = [name for name in mockchat.__all__ if name not in {*REPLIES, *FREEDOMS}]
    for title, is_wanted in (
        ("Functions", lambda thing: not inspect.isclass(thing)),
        ("Errors", lambda thing: inspect.isclass(thing) and issubclass(thing, BaseException)),
        ("Classes", lambda thing: inspect.isclass(thing) and not issubclass(thing, BaseException)),
    ):
        yield f"\n## {title}\n"
        yield from _documented([name for name in others if is_wanted(getattr(mockchat, name))])
    for module in (mockchat.strategies, mockchat.cases):
        yield f"\n## {module.__name__}\n"
        yield f"{inspect.getdoc(module)}\n"
        yield from _documented(sorted({*module.__all__} - {*mockchat.__all__}), module)


def manual() -> Iterator[str]:
    """Yield the README: what leads to files of the project is a name here."""
    yield _readme().replace("# mockchat", "# The manual", 1).rstrip()


def not_promised() -> Iterator[str]:
    """Yield the README's section of this name."""
    section = _readme().partition("\n## What is not promised\n")[2].partition("\n## ")[0]
    yield "# What is not promised\n"
    yield re.sub(r"\]\(#", "](manual.md#", section).strip()


def _readme() -> str:
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"\]\(docs/", "](../", text)
    return re.sub(r"\[([^]]+)\]\((?!https?:|#|\.\./)([^)]+)\)", r"\1 (`\2`)", text)


def _documented(names: Iterable[str], module: ModuleType = mockchat) -> Iterator[str]:
    for name in names:
        thing = getattr(module, name)
        kind = "class" if inspect.isclass(thing) else "function"
        if not inspect.isclass(thing) and not callable(thing):
            kind = "data"
        members = "\n   :members:" if kind == "class" else ""
        yield f"```{{eval-rst}}\n.. auto{kind}:: {module.__name__}.{name}{members}\n```\n"


def rules() -> Iterator[str]:
    """Yield every rule with its source."""
    yield "# Rules\n"
    yield "What the schema documents cannot say. A rule below the level asked for makes notes only;"
    yield "profiles switch rules on and off. [Checks](../checks.md) has those of the checker.\n"
    for title, book in BOOKS.items():
        yield f"\n## {title}\n"
        yield from _table(
            ("rule", "broken where", "level", "how we know"),
            (
                (f"`{rule.id}`", rule.sentence, rule.level, _evidence(rule.find))
                for rule in book.rules.values()
            ),
        )
    yield "\n## Streams\n"
    yield from _table(
        ("rule", "what holds", "level", "how we know"),
        (
            (f"`{name}`", summary, STREAM_RULE_LEVELS[name], source_in_words(source))
            for name, summary in STREAM_RULES.items()
            for source in [STREAM_RULE_SOURCES[name]]
        ),
    )


def _evidence(judge: object) -> str:
    return source_in_words(" ".join((inspect.getdoc(judge) or "").split()))


def profiles() -> Iterator[str]:
    """Yield the profiles, with what each does not reproduce."""
    yield "# Profiles\n"
    yield "Variants of the API. `mockchat profiles show NAME` prints what one changes in the"
    yield "documents and settings.\n"
    for name in profile_names():
        profile = load_profile(name)
        yield f"\n## {name}\n"
        yield f"{_plain(profile.summary)}\n"
        yield "Sources: " + "; ".join(_plain(source) for source in profile.sources) + ".\n"
        rules_on = ", ".join(f"`{rule}`" for rule in sorted(profile.settings["rules"]))
        yield f"Rules that are on: {rules_on or 'none'}.\n"
        if name != "openai":
            yield from _deviations(profile.deviations)


def deviations() -> Iterator[str]:
    """Yield where the profile of OpenAI knowingly differs from the service."""
    yield "# Where we differ from the real service\n"
    yield "Of the profile `openai`; those of others stand with each [profile](profiles.md).\n"
    yield from _deviations(contract_for().profile.deviations)


def _deviations(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    rows = []
    for each in found:
        entries = ", ".join(f"`{entry}`" for entry in each.get("entries", ()))
        more = {key: each[key] for key in each if key not in {"what", "entries", "reason"}}
        told = "; ".join(f"{key} `{_short(value)}`" for key, value in more.items())
        rows.append(
            (_plain(each["what"]), ", ".join(filter(None, (entries, told))), each["reason"])
        )
    if rows:
        yield from _table(("what differs", "where", "why"), rows)
    else:
        yield "No difference is known."


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _attributes(described: type) -> Iterator[str]:
    """Yield the attributes that a docstring describes, as a table."""
    text = inspect.getdoc(described) or ""
    lines = text.partition("Attributes:\n")[2].splitlines()
    found: list[list[str]] = []
    for line in lines:
        if not line.strip():
            break
        if line.startswith("    ") and not line.startswith("     "):
            name, _, meaning = line.strip().partition(": ")
            found.append([name, meaning])
        else:
            found[-1][1] += f" {line.strip()}"
    if [name for name, _ in found] != [*described.__annotations__]:
        raise ValueError(f"the docstring of {described.__name__} does not describe its attributes")
    yield from _table(("keyword", "meaning"), ((f"`{name}`", said) for name, said in found))


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _plain(text: str) -> str:
    return " ".join(text.split())


PAGES = {
    "manual": manual,
    "not-promised": not_promised,
    "commands": commands,
    "options": options,
    "matchers": matchers,
    "replies": replies,
    "python": python,
    "rules": rules,
    "profiles": profiles,
    "deviations": deviations,
}
"""What makes each page of `generated/`."""
