"""The first tests of the extractor: what it is for."""

import json
from decimal import Decimal

import pytest
from extractor import Unreadable, extract

from mockchat import refusal

GOOD = {
    "number": "2026-11",
    "day": "2026-11-02",
    "total": "30.00",
    "lines": [{"what": "paper", "amount": "10.00"}, {"what": "ink", "amount": "20.00"}],
}


def test_an_invoice_is_read(mockchat):
    """The record is typed, and the model was asked for the schema of the record."""
    mockchat.when(response_format="json_schema").reply(json.dumps(GOOD))
    invoice = extract("Invoice 2026-11 …")
    assert invoice.total == Decimal(30)
    assert [line.what for line in invoice.lines] == ["paper", "ink"]


def test_what_does_not_add_up_is_asked_again(mockchat):
    """The model learns what was wrong."""
    mockchat.when(turns=1).reply(json.dumps({**GOOD, "total": "31.00"}))
    mockchat.when(turns=2).reply(json.dumps(GOOD))
    assert extract("Invoice 2026-11 …").number == "2026-11"
    assert "add up to 30.00" in json.dumps(mockchat.journal[-1].request["messages"][-1])


def test_a_refusal_is_told(mockchat):
    """It must not become an empty invoice."""
    mockchat.reply(refusal("I can't read that."))
    with pytest.raises(Unreadable):
        extract("Invoice 2026-11 …")
