"""A gateway on LiteLLM: asks one service after the other until one answers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litellm import Router
from litellm.exceptions import (
    APIConnectionError,
    APIError,
    BadGatewayError,
    InternalServerError,
    MidStreamFallbackError,
    RateLimitError,
    ServiceUnavailableError,
    Timeout,
)

PASSING = (
    APIConnectionError,
    APIError,
    BadGatewayError,
    InternalServerError,
    MidStreamFallbackError,
    RateLimitError,
    ServiceUnavailableError,
    Timeout,
)
"""What another attempt may mend; anything else is the caller's mistake and goes back to the caller."""


class NoService(Exception):
    """All services failed; the last failure is the cause."""


@dataclass(frozen=True)
class Service:
    """Where a model is served.

    Attributes:
        base_url: Its address, with the version.
        api_key: What it asks for.
        model: What it calls the model.
    """

    base_url: str
    api_key: str
    model: str = "gpt-4o-mini"


class Gateway:
    """Asks services in order: the next one where one fails, after as many retries as are wished."""

    def __init__(
        self, services: Sequence[Service], *, retries: int = 2, timeout: float = 30
    ) -> None:
        self._names = [str(number) for number in range(len(services))]
        # The order is ours: LiteLLM's own fallbacks would send a bad request to every service.
        self._router = Router(
            model_list=[
                {
                    "model_name": name,
                    "litellm_params": {
                        "model": f"openai/{service.model}",
                        "api_base": service.base_url,
                        "api_key": service.api_key,
                    },
                }
                for name, service in zip(self._names, services, strict=True)
            ],
            num_retries=retries,
            timeout=timeout,
            disable_cooldowns=True,
        )

    async def complete(
        self, messages: Sequence[Mapping[str, Any]], **options: Any
    ) -> dict[str, Any]:
        """Return the completion of the first service that has one.

        Args:
            messages: The conversation.
            **options: Further members of the request.

        Raises:
            BadRequestError: A service refused the request; none was asked after it.
            NoService: None answered.
        """
        problem: Exception | None = None
        for name in self._names:
            try:
                answer = await self._router.acompletion(
                    model=name, messages=list(messages), **options
                )
            except PASSING as error:
                problem = error
            else:
                return answer.model_dump(exclude_none=True)
        raise NoService from problem

    async def stream(
        self, messages: Sequence[Mapping[str, Any]], **options: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the chunks of the first service that has some, as they come.

        A service that fails after its first chunk is not replaced: the caller has shown it.

        Raises:
            BadRequestError: A service refused the request; none was asked after it.
            NoService: None answered, or the one that did broke off.
        """
        problem: Exception | None = None
        for name in self._names:
            has_begun = False
            try:
                answer = await self._router.acompletion(
                    model=name, messages=list(messages), stream=True, **options
                )
                async for chunk in answer:
                    # LiteLLM makes up an end where nothing came at all; then there is no answer.
                    if not has_begun and not chunk.choices[0].delta.role:
                        break
                    has_begun = True
                    yield chunk.model_dump(exclude_none=True)
            except PASSING as error:
                problem = error
                if has_begun:
                    break
            else:
                if has_begun:
                    return
        raise NoService from problem
