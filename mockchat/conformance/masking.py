"""Keep the credentials of a run out of what a target said: some servers repeat the key they refuse."""

from collections.abc import Mapping
from dataclasses import replace

from mockchat.conformance.answers import Answered
from mockchat.scripting.credentials import secrets_of


def masked(answered: Answered, fields: Mapping[str, str]) -> Answered:
    """Return an answer with the credentials of a request starred out, every byte in its place.

    Args:
        answered: What came back.
        fields: The fields that every request of the run has.
    """
    for secret in secrets_of(tuple(fields.items())):
        stars = "*" * len(secret)
        answered = replace(
            answered,
            headers=tuple((name, text.replace(secret, stars)) for name, text in answered.headers),
            body=answered.body.replace(secret.encode(), stars.encode()),
            detail=answered.detail.replace(secret, stars),
        )
    return answered
