"""Wishes: whether a customer's words ask for a person."""

import re

_KIND = "(?:(?:real|actual|live|human|support|service|customer) )*"
_PERSON = (
    rf"{_KIND}(?:human(?: being)?|person|people|somebody|someone|agent|operator|representative|rep|advis[oe]r|employee|staff"
    r"|team(?: member)?|colleague|customer (?:service|support)|support)"
)
_REACH = r"(?:talk|speak|chat|connect|transfer|forward|hand|pass|escalate|put)\b[^.?!]{0,25}?\b(?:to|with|through|over)"
_HAVE = r"(?:want|need|prefer|give me|request|like)(?: \w+){0,2}? (?:a|an|some)"
_SURE_PERSON = rf"{_KIND}(?:human(?: being)?|person|operator|representative)|(?:live|human|real) (?:support )?agent"
_WANTS_PERSON = re.compile(
    rf"\b{_REACH} (?:(?:a|an|the|your|some|one of your) )?{_PERSON}\b(?! (?:name|id|role|account|page|portal|api|key|log)s?\b)"
    rf"|\b{_HAVE} (?:{_SURE_PERSON})\b(?! (?:to|who|for|from|account|role|name|id)\b)"
    rf"|^\W*(?:please )?(?:{_SURE_PERSON}|agent)(?: please| now)?\W*$"
    r"|\b(?:are you|is this) (?:a |an )?(?:bot|robot|human|real person|machine|ai)\b",
    re.IGNORECASE,
)
LONGEST = 1_000  # characters that are looked at


def wants_person(text: str) -> bool:
    """Whether somebody asks, in English, to talk to a person, or whether they do."""
    return _WANTS_PERSON.search(text[:LONGEST].replace("’", "'")) is not None
