"""What a profile's replies have is read from its documents, however they are written."""

from dataclasses import replace

from mockchat.contract.contract import contract_for
from mockchat.payloads.members import reply_members

PROFILE = contract_for("openai").profile


def members_of(response, **documents):
    """Return what a profile with this response document declares."""
    found = {"response": response, "chunk": {}, **documents}
    return reply_members(replace(PROFILE, levels={"observed": found, "documented": found}))


def test_the_openai_profile_declares_all_that_is_recorded():
    """A member missed here would silently never be sent."""
    members = reply_members(PROFILE)
    assert members.top >= {
        "id", "object", "created", "model", "choices", "usage", "service_tier",
        "system_fingerprint", "metadata", "moderation",
    }  # fmt: skip
    assert members.choice == {"index", "message", "logprobs", "finish_reason"}
    assert members.message == {
        "role", "content", "refusal", "annotations", "tool_calls", "function_call", "audio",
    }  # fmt: skip
    assert members.prompt_details[:2] == ("cached_tokens", "audio_tokens")
    assert "reasoning_tokens" in members.completion_details
    assert members.finish_reasons == {
        "stop", "length", "tool_calls", "content_filter", "function_call",
    }  # fmt: skip
    assert members.call_types == {"function", "custom"}


def test_references_and_unions_are_followed():
    """A vendor's document may hang together otherwise than ours."""
    response = {
        "allOf": [{"properties": {"id": True}}, {"$ref": "common.json#/$defs/a~1b"}],
        "properties": {"choices": {"items": {"anyOf": [{"$ref": "#/$defs/choice"}, True]}}},
        "$defs": {
            "choice": {"properties": {"finish_reason": {"enum": ["stop", None]}}},
            "usage": {"properties": {"x": True}},
        },
    }
    common = {
        "$defs": {
            "a/b": {"properties": {"usage": {"$ref": "#/$defs/usage"}}},
            "usage": {"properties": {"prompt_tokens": True}},
        }
    }
    members = members_of(response, common=common)
    assert members.top == {"choices", "id", "usage"}
    assert members.choice == {"finish_reason"}
    assert members.usage == {"prompt_tokens"}
    assert members.finish_reasons == {"stop"}


def test_free_text_allows_anything():
    """Documents of 2023 say nothing of finish reasons; servers may then use them all."""
    free, named = members_of({}), members_of(PROFILE.documents["response"])
    assert free.allows_finish("length")
    assert free.allows_call("custom")
    assert not named.allows_finish("eos")
    assert not named.allows_call("web")
