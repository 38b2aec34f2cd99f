"""A user's own profiles: each fault is named with its file and its place, and only real ones."""

import json

import pytest

from mockchat.contract.profile import profile_names, schemas_directory
from mockchat.contract.profile_lint import CHECKS, lint, profile_folders
from mockchat.contract.rulebooks import RULES
from mockchat.errors import BadArgument, BrokenProfile
from mockchat.server.service_headers import ServiceHeaders

URI = "https://mockchat.invalid/mine"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def written(directory, name="mine", **files):
    """Write a profile folder: `profile`, `request_patch` …, a dict each, or the text itself."""
    folder = directory / name
    folder.mkdir(exist_ok=True)
    profile = files.pop("profile", {})
    if isinstance(profile, dict):
        profile = {"name": name, "summary": "Ours.", "extends": "openai", **profile}
    for stem, content in {"profile": profile, **files}.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{stem.replace('_', '.')}.json").write_text(text)
    return folder


def told(folder, *readers):
    """Return check, file and pointer of every problem."""
    return [(each.check, each.path.name, each.pointer) for each in lint(folder, readers)]


@pytest.mark.parametrize("name", profile_names())
def test_our_own_profiles_have_no_problem(name):
    """A check that raises a false alarm here raises one for every user."""
    assert lint(schemas_directory() / name, (ServiceHeaders,)) == ()


def test_a_profile_that_only_extends_has_no_problem(tmp_path):
    """The least one can write."""
    assert lint(written(tmp_path)) == ()


NEW = {"$schema": DIALECT, "$id": f"{URI}/request.json", "type": "object"}
MESSAGES = {"messages": {"type": "array"}}
HEADER = {"value": "{tokens}"}
ANY_UNION = [{"type": "string"}, {"type": ["null", "string"]}]

FAULTS = [
    ("unreadable", {"profile": "[]"}, "profile.json", ""),
    ("unreadable", {"errors": "{"}, "errors.json", ""),
    ("unreadable", {"request": "{"}, "request.json", ""),
    ("unreadable", {"request": "[]"}, "request.json", ""),
    ("unreadable", {"profile": {"extends": "openay"}}, "profile.json", "/extends"),
    ("unreadable", {"profile": {"extends": "mine"}}, "profile.json", "/extends"),
    ("unreadable", {"reqest_patch": {}}, "reqest.patch.json", ""),
    (
        "unreadable",
        {"profile": {"without": {"request": ["/nothing"]}}},
        "profile.json",
        "/without/request/0",
    ),
    (
        "unreadable",
        {"profile": {"levels": {"documented": {"reply": {}}}}},
        "profile.json",
        "/levels/documented/reply",
    ),
    ("setting", {"profile": {"summry": ""}}, "profile.json", "/summry"),
    ("setting", {"profile": {"sources": "mine"}}, "profile.json", "/sources"),
    ("setting", {"profile": {"rules": {"exchange.n": 1}}}, "profile.json", "/rules/exchange.n"),
    ("setting", {"profile": {"levels": {"strict": {}}}}, "profile.json", "/levels/strict"),
    ("setting", {"profile": {"headers": {"x": {}}}}, "profile.json", "/headers/x/value"),
    ("setting", {"profile": {"models": [{"name": "m"}]}}, "profile.json", "/models/0/name"),
    ("setting", {"profile": {"summary": None}}, "profile.json", "/summary"),
    ("setting", {"errors": {"mine": {"status": 200}}}, "errors.json", "/mine/status"),
    ("setting", {"errors": {"mine": {"status": 400}}}, "errors.json", "/mine/message"),
    ("axis", {"profile": {"stream": {"role": "last"}}}, "profile.json", "/stream/role"),
    ("axis", {"profile": {"stream": {"rolle": "every"}}}, "profile.json", "/stream/rolle"),
    ("axis", {"profile": {"stream": {"done": None}}}, "profile.json", "/stream/done"),
    (
        "schema",
        {"request_patch": {"properties": {"n": {"maximum": "8"}}}},
        "request.patch.json",
        "/properties/n/maximum",
    ),
    (
        "schema",
        {"request_patch": {"properties": {"user": {"pattern": "("}}}},
        "request.patch.json",
        "/properties/user/pattern",
    ),
    (
        "schema",
        {"request_patch": {"$defs": {"metadata": {"patternProperties": {"(": {}}}}}},
        "request.patch.json",
        "/$defs/metadata/patternProperties",
    ),
    ("schema", {"extra": {"$schema": DIALECT}}, "extra.json", "/$id"),
    ("schema", {"extra": NEW | {"$schema": "x"}}, "extra.json", "/$schema"),
    (
        "schema",
        {"openapi_patch": {"components": {"schemas": {"x": {"type": "text"}}}}},
        "openapi.patch.json",
        "/components/schemas/x/type",
    ),
    (
        "schema",
        {"profile": {"levels": {"documented": {"response": {"properties": {"id": {"type": 3}}}}}}},
        "profile.json",
        "/levels/documented/response/properties/id/type",
    ),
    (
        "reference",
        {"request_patch": {"properties": {"x": {"$ref": "#/$defs/nothing"}}}},
        "request.patch.json",
        "/properties/x/$ref",
    ),
    (
        "reference",
        {"request_patch": {"properties": {"x": {"$ref": "other.json"}}}},
        "request.patch.json",
        "/properties/x/$ref",
    ),
    (
        "reference",
        {"profile": {"without": {"request": ["/$defs/voice"]}}},
        "profile.json",
        "/without/request",
    ),
    (
        "reference",
        {"openapi_patch": {"paths": {"/models": {"parameters": [{"$ref": "#/components/x"}]}}}},
        "openapi.patch.json",
        "/paths/~1models/parameters/0/$ref",
    ),
    (
        "union",
        {"request_patch": {"properties": {"x": {"oneOf": ANY_UNION}}}},
        "request.patch.json",
        "/properties/x/oneOf",
    ),
    (
        "union",
        {"request_patch": {"$defs": {"text_part": {"properties": {"type": {"const": "file"}}}}}},
        "profile.json",
        "/extends",
    ),
    (
        "union",
        {"request_patch": {"properties": {"x": {"oneOf": [{"enum": ["a", "b"]}, {"const": "b"}]}}}},
        "request.patch.json",
        "/properties/x/oneOf",
    ),
    (
        "unused",
        {
            "profile": {
                "levels": {"documented": {"response": {"$defs": {"mesage": {"type": "string"}}}}}
            }
        },
        "profile.json",
        "/levels/documented/response/$defs/mesage",
    ),
    (
        "unused",
        {"request_patch": {"$defs": {"mesage": {"type": "string"}}}},
        "request.patch.json",
        "/$defs/mesage",
    ),
    ("unused", {"extra": NEW | {"$id": f"{URI}/extra.json"}}, "extra.json", ""),
    ("rule", {"profile": {"rules": {"exchange.m": {}}}}, "profile.json", "/rules/exchange.m"),
    (
        "rule",
        {"profile": {"rules": {"stream.role-once": False}}},
        "profile.json",
        "/rules/stream.role-once",
    ),
    ("rule", {"profile": {"check_order": ["*", "request.x:/n"]}}, "profile.json", "/check_order/1"),
    (
        "rule",
        {"profile": {"errors": {"rules": {"request.x": "invalid_json"}}}},
        "profile.json",
        "/errors/rules/request.x",
    ),
    (
        "parameters",
        {"profile": {"rules": {"exchange.n": {"most": 3}}}},
        "profile.json",
        "/rules/exchange.n/most",
    ),
    (
        "parameters",
        {"profile": {"rules": {"reply.id-prefix": {"call": 3}}}},
        "profile.json",
        "/rules/reply.id-prefix/call",
    ),
    (
        "parameters",
        {"profile": {"rules": {"request.reasoning-refuses": {"names": None}}}},
        "profile.json",
        "/rules/request.reasoning-refuses/names",
    ),
    (
        "idle",
        {"profile": {"rules": {"request.reasoning-refuses": {"names": ["stop", "halt"]}}}},
        "profile.json",
        "/rules/request.reasoning-refuses/names/1",
    ),
    (
        "idle",
        {"profile": {"rules": {"request.reasoning-fixes": {"defaults": {"warmth": 1}}}}},
        "profile.json",
        "/rules/request.reasoning-fixes/defaults/warmth",
    ),
    (
        "idle",
        {"profile": {"models": [{"id": "m"}], "rules": {"request.n-within-model": {}}}},
        "profile.json",
        "/rules/request.n-within-model",
    ),
    (
        "dead-rule",
        {"profile": {"rules": {"request.reasoning-refuses": {"names": ["halt"]}}}},
        "profile.json",
        "/rules/request.reasoning-refuses",
    ),
    (
        "dead-rule",
        {
            "profile": {
                "without": {"request": ["/properties/stop"]},
                "rules": {"request.reasoning-refuses": {"names": ["n"]}},
            }
        },
        "profile.json",
        "/rules/exchange.stop-is-absent",
    ),
    (
        "error",
        {"profile": {"errors": {"entries": {"n": {"minimum": "too_litle"}}}}},
        "profile.json",
        "/errors/entries/n/minimum",
    ),
    (
        "error",
        {"profile": {"errors": {"rules": {"exchange.n": "nothing"}}}},
        "profile.json",
        "/errors/rules/exchange.n",
    ),
    (
        "error",
        {"profile": {"scripted_errors": {"usual": {"418": "teapot"}, "samples": {"teapot": {}}}}},
        "profile.json",
        "/scripted_errors/usual/418",
    ),
    (
        "error",
        {"errors": {"two_token_limits": None}},
        "profile.json",
        "/rules/request.one-token-limit",
    ),
]


@pytest.mark.parametrize(
    ("check", "files", "file", "pointer"),
    [pytest.param(*row, id=f"{row[0]}-{index}") for index, row in enumerate(FAULTS)],
)
def test_a_fault_is_named_with_its_file_and_place(check, files, file, pointer, tmp_path):
    """Whoever wrote the profile must find the line; who only reads it must believe the check."""
    assert (check, file, pointer) in told(written(tmp_path, **files), ServiceHeaders)


@pytest.mark.parametrize(
    "branches",
    [
        [{"const": "a"}, {"enum": ["b", "c"]}, {"const": 1}, {"const": True}],
        [{"type": "integer"}, {"type": ["string", "null"]}],
        [
            {"required": ["t"], "properties": {"t": {"const": "a"}}, "type": "object"},
            {"required": ["t"], "properties": {"t": {"const": "b"}}, "type": "object"},
        ],
    ],
)
def test_branches_that_a_glance_tells_apart_are_no_problem(branches, tmp_path):
    """By value, by type, by a tag: all that errors and drawing need."""
    patch = {"properties": {"x": {"oneOf": branches}}}
    assert lint(written(tmp_path, request_patch=patch)) == ()


def test_every_check_has_a_fault():
    """A check that never fired is a check nobody has tested."""
    assert {check for check, *_ in FAULTS} == CHECKS.keys()


def test_one_mistake_is_one_problem(tmp_path):
    """A list of consequences hides the cause."""
    folder = written(
        tmp_path,
        profile={"summry": "", "rules": {"exchange.m": {}}},
        request_patch={"properties": {"x": {"$ref": "#/$defs/nothing"}}},
    )
    assert told(folder) == [("setting", "profile.json", "/summry")]


def test_a_close_name_is_suggested(tmp_path):
    """Most mistakes are slips."""
    folder = written(tmp_path, profile={"rules": {"exchange.arguments ": {}, "stream.x": {}}})
    assert [each.problem for each in lint(folder)] == [
        "there is no rule 'exchange.arguments '; did you mean 'exchange.arguments'?",
        "there is no rule 'stream.x'",
    ]
    folder = written(tmp_path, profile={"summry": ""})
    assert [each.problem for each in lint(folder)] == [
        "'summry' is not a known member; did you mean 'summary'?"
    ]


def test_a_fault_of_a_merged_document_says_where_in_it(tmp_path):
    """It stands in no file of the folder: the parent's half and ours make it together."""
    folder = written(tmp_path, profile={"without": {"request": ["/$defs/voice"]}})
    (problem,) = lint(folder)
    assert problem.problem == (
        "'#/$defs/voice' leads nowhere (in request.json at /$defs/audio/properties/voice/$ref)"
    )


def test_what_a_sound_parent_has_is_not_told_again(tmp_path):
    """Each problem once, where it can be mended."""
    written(tmp_path, "base", profile={"rules": {"exchange.m": {}}})
    heir = written(tmp_path, "heir", profile={"extends": "base"})
    assert told(tmp_path / "base") == [("rule", "profile.json", "/rules/exchange.m")]
    assert lint(heir) == ()


def test_an_entry_of_an_inherited_list_is_not_the_heirs(tmp_path):
    """A list that fits the parent may name more than its heir has."""
    assert (
        lint(written(tmp_path, profile={"without": {"request": ["/properties/prediction"]}})) == ()
    )


def test_rules_that_other_models_leave_idle_are_no_problem(tmp_path):
    """Whoever lists models of their own need not switch rules off."""
    assert lint(written(tmp_path, profile={"models": [{"id": "m"}]})) == ()


def test_a_parent_that_cannot_be_read_is_told_with_its_own_file(tmp_path):
    """Nothing can be said of the heir before."""
    written(tmp_path, "base", profile={"sources": 3})
    heir = written(tmp_path, "heir", profile={"extends": "base"})
    assert [(each.path, each.pointer) for each in lint(heir)] == [
        (tmp_path / "base" / "profile.json", "/sources")
    ]


def test_profiles_that_extend_each_other_are_told(tmp_path):
    """A circle must end the check, not the process."""
    written(tmp_path, "one", profile={"extends": "two"})
    written(tmp_path, "two", profile={"extends": "one"})
    assert told(tmp_path / "one") == [("unreadable", "profile.json", "/extends")]


def test_a_profile_may_stand_before_ours_of_its_name(tmp_path):
    """Then its parent is ours, and what ours has is no problem of it."""
    folder = written(tmp_path, "openai", profile={"rules": {"exchange.m": {}}})
    assert told(folder) == [("rule", "profile.json", "/rules/exchange.m")]


def test_a_profile_without_a_parent_is_judged_by_itself(tmp_path):
    """One may start anew, with every document of one's own."""
    request = NEW | {"properties": MESSAGES}
    openapi = {"openapi": "3.1.0", "paths": {"/x": {"schema": {"$ref": "request.json"}}}}
    folder = written(
        tmp_path,
        profile={"extends": None, "rules": {"exchange.n": {}, "request.tool-answers-call": {}}},
        request=request,
        openapi=openapi,
    )
    assert told(folder) == [
        ("axis", "profile.json", "/stream"),
        ("dead-rule", "profile.json", "/rules/exchange.n"),
        ("dead-rule", "profile.json", "/rules/request.tool-answers-call"),
        ("error", "profile.json", "/rules/request.tool-answers-call"),
    ]


def test_what_another_reader_refuses_is_told(tmp_path):
    """Settings that only the server reads are refused before it starts."""
    folder = written(tmp_path, profile={"headers": {"x": HEADER}})
    assert told(folder) == []
    assert told(folder, ServiceHeaders) == [("setting", "profile.json", "/headers/x/value")]


def test_folders_that_are_no_profiles_are_told(tmp_path):
    """A file misnamed is a profile that silently does not exist."""
    (tmp_path / "Mine").mkdir()
    (tmp_path / "Mine" / "profile.json").write_text("{}")
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / "profil.json").write_text("{}")
    (tmp_path / "notes").mkdir()
    folders = profile_folders(tmp_path)
    assert [folder.name for folder in folders] == ["Mine", "lost"]
    assert [told(folder) for folder in folders] == [
        [("unreadable", "Mine", "")],
        [("unreadable", "lost", "")],
    ]


def test_a_folder_is_taken_as_it_is_meant(tmp_path):
    """One profile or many; neither is a mistake of the command line."""
    mine = written(tmp_path)
    assert profile_folders(tmp_path) == profile_folders(mine) == (mine,)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadArgument, match="allowed: a folder of profile folders, or one of them"):
        profile_folders(tmp_path / "empty")


def test_a_reader_that_fails_otherwise_is_not_silenced(tmp_path):
    """Only a refusal is a verdict on the profile."""

    def reader(settings):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lint(written(tmp_path), (reader,))


def test_a_refusal_of_loading_keeps_its_place(tmp_path):
    """What the loader says first, the check says too."""

    def reader(settings):
        raise BrokenProfile("x", "/quotas", "no")

    assert told(written(tmp_path), reader) == []
    mine = written(tmp_path, profile={"quotas": {"x": {"limit": 1, "window": 0}}})
    assert told(mine) == [("setting", "profile.json", "/quotas/x/window")]


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_says_what_it_looks_at(rule):
    """Without it a rule that can never fire would pass for a working one."""
    assert rule.looks_at
