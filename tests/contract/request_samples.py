"""The smallest request, and for every request rule the payloads that break it alone."""

import copy

USER = {"role": "user", "content": "hi"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "call_1", "content": "4"}
TOOL = {"type": "function", "function": {"name": "f"}}
STRICT = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def request(**members):
    """Return the smallest valid request with `members` added; a member of ... is taken away."""
    body = {"model": "gpt-4o", "messages": [USER]} | members
    return copy.deepcopy({name: value for name, value in body.items() if value is not ...})


def function_tool(**members):
    """Return a tool whose function has `members` besides its name."""
    return {"type": "function", "function": {"name": "f", **members}}


def json_schema(schema, **members):
    """Return a response_format of json_schema."""
    named = {"name": "n", "schema": schema, **members}
    return {"type": "json_schema", "json_schema": named}


BREAKING = {
    "request.tool-answers-call": [
        request(messages=[USER, ANSWER]),
        request(messages=[CALLING, ANSWER, USER, ANSWER]),
        request(messages=[CALLING, ANSWER, ANSWER | {"tool_call_id": "other"}]),
    ],
    "request.calls-are-answered": [
        request(messages=[CALLING, USER]),
        request(messages=[CALLING]),
    ],
    "request.content-is-given": [
        request(messages=[{"role": "user"}]),
        request(messages=[{"role": "system", "content": None}]),
        request(messages=[{"role": "assistant"}]),
        request(messages=[{"role": "assistant", "content": None, "refusal": None}]),
        request(messages=[CALLING, {"role": "tool", "tool_call_id": "call_1"}]),
    ],
    "request.tool-content-is-text": [
        request(messages=[CALLING, ANSWER | {"content": [{"type": "image_url", "text": "x"}]}]),
    ],
    "request.tool-choice-needs-tools": [
        request(tool_choice="auto"),
        request(tool_choice={"type": "function", "function": {"name": "f"}}),
    ],
    "request.parallel-tool-calls-needs-tools": [request(parallel_tool_calls=True)],
    "request.named-tool-exists": [
        request(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "g"}}),
        request(tools=[TOOL], tool_choice={"type": "custom", "custom": {"name": "f"}}),
        request(function_call={"name": "f"}),
        request(function_call={"name": "f"}, functions=[{"name": "g"}]),
    ],
    "request.top-logprobs-needs-logprobs": [
        request(top_logprobs=3),
        request(top_logprobs=0, logprobs=False),
    ],
    "request.stream-options-needs-stream": [
        request(stream_options={"include_usage": True}),
        request(stream_options={}, stream=False),
    ],
    "request.one-token-limit": [request(max_tokens=5, max_completion_tokens=5)],
    "request.json-object-needs-the-word": [
        request(response_format={"type": "json_object"}),
        request(
            response_format={"type": "json_object"},
            messages=[{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        ),
    ],
    "request.metadata-needs-store": [request(metadata={"a": "b"})],
    "request.audio-needs-its-options": [request(modalities=["text", "audio"])],
    "request.logit-bias-names-tokens": [
        request(logit_bias={"a": 1}),
        request(logit_bias={"-5": 1}),
        request(logit_bias={"٣": 1}),
        request(logit_bias={"a/b~c": 1}),
    ],
    "request.function-parameters-are-a-schema": [
        request(tools=[function_tool(parameters={"type": "strin"})]),
        request(functions=[{"name": "f", "parameters": {"pattern": "("}}]),
    ],
    "request.function-is-strict": [
        request(tools=[function_tool(parameters={"type": "object"}, strict=True)]),
    ],
    "request.response-format-is-a-schema": [
        request(response_format=json_schema({"required": "a"})),
    ],
    "request.response-format-is-strict": [
        request(response_format=json_schema({"type": "array"}, strict=True)),
    ],
    "request.reasoning-refuses": [
        request(model="o3", stop="x"),
        request(model="o3", logit_bias={"1": 1}),
        request(model="o3", prediction={"type": "content", "content": "x"}),
    ],
    "request.reasoning-refuses-while-thinking": [
        request(model="o3", presence_penalty=1),
        request(model="o3", frequency_penalty=0.5),
        request(model="o3", logprobs=True),
    ],
    "request.reasoning-fixes": [
        request(model="o3", temperature=0.5),
        request(model="o3", top_p=0),
    ],
    "request.reasoning-counts-completion-tokens": [request(model="o3", max_tokens=5)],
    "request.effort-is-supported": [request(model="o3", reasoning_effort="minimal")],
    "request.effort-without-tools": [
        request(model="gpt-5.6-sol", tools=[TOOL], reasoning_effort="low"),
    ],
    "request.role-is-supported": [
        request(model="o1-mini", messages=[{"role": "system", "content": "x"}, USER]),
        request(model="o1-mini", messages=[{"role": "developer", "content": "x"}, USER]),
    ],
    "request.web-search-is-supported": [request(web_search_options={})],
    "request.n-within-model": [request(model="gpt-5.6-terra", n=9)],
    "request.top-logprobs-within-model": [
        request(model="gpt-5.6-terra", reasoning_effort="none", logprobs=True, top_logprobs=6),
    ],
    "request.max-tokens-within-model": [
        request(max_tokens=16385),
        request(max_completion_tokens=16385),
    ],
}
"""By rule: requests that break it and no other. A rule that is off in `openai` is switched on."""

KEEPING = [
    request(),
    request(messages=[CALLING, ANSWER, USER]),
    request(messages=[USER, CALLING, ANSWER]),
    request(messages=[{"role": "assistant", "refusal": "no"}]),
    request(messages=[{"role": "function", "name": "f", "content": None}]),
    request(messages=[{"role": "user", "content": ""}, {"role": "user", "content": []}]),
    request(tools=[TOOL], tool_choice="required", parallel_tool_calls=False),
    request(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "f"}}),
    request(
        tools=[TOOL],
        tool_choice={"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TOOL]}},
    ),
    request(functions=[{"name": "f"}], function_call={"name": "f"}),
    request(functions=[{"name": "f"}], function_call="auto"),
    request(logprobs=True, top_logprobs=20),
    request(stream=True, stream_options={"include_usage": True}),
    request(
        response_format={"type": "json_object"}, messages=[{"role": "user", "content": "JSON"}]
    ),
    request(response_format=json_schema({"type": "object"})),
    request(response_format=json_schema(STRICT, strict=True)),
    request(tools=[function_tool(parameters=STRICT, strict=True)]),
    request(tools=[function_tool(strict=True)]),
    request(tools=[{"type": "custom", "custom": {"name": "c"}}]),
    request(messages=[CALLING, ANSWER | {"content": [{"type": "text", "text": "4"}]}]),
    request(modalities=["audio"], audio={"voice": "alloy", "format": "wav"}),
    request(logit_bias={"50256": -100}),
    request(metadata={"a": "b"}, store=True),
    request(model="o3", temperature=1, top_p=1.0, presence_penalty=0, logprobs=False),
    request(model="o3", reasoning_effort="high", max_completion_tokens=5),
    request(model="gpt-5.1", reasoning_effort="none", frequency_penalty=1),
    request(model="gpt-5.6-sol", tools=[TOOL]),
    request(model="gpt-4o-search-preview", web_search_options={}),
    request(model="gpt-5.6-terra", n=8),
    request(model="nobody-knows-me", stop="x", temperature=0, max_tokens=5, n=100),
    request(temperature=None, n=None, stop=None, tools=None, tool_choice=None, metadata=None),
]
"""Requests that break nothing."""
