"""All rules that a profile can switch on, by id, whatever they look at."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mockchat.contract.capability_rules import BY_MODEL
from mockchat.contract.exchange_rules import EXCHANGE
from mockchat.contract.reply_rules import REPLY
from mockchat.contract.request_rules import REQUEST, RESTATING
from mockchat.contract.rules import Rule, RuleBook

_BOOKS: tuple[RuleBook[Any], ...] = (RESTATING, REQUEST, BY_MODEL, REPLY, EXCHANGE)

RULES: Mapping[str, Rule[Any]] = MappingProxyType(
    {rule_id: rule for book in _BOOKS for rule_id, rule in book.rules.items()}
)
"""The rules by id, in the order they are written."""
