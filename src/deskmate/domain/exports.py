"""Exports: feedback as others read it: all of it, examples and preferences to train with, a task to evaluate with. Pure.

What leaves for training holds public words only, and of those the ones that a person stands for; names, addresses and long
numbers are masked. The forms of OpenAI are those of its guides to supervised and direct preference fine-tuning.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

from deskmate.domain.actors import AuthorKind
from deskmate.domain.feedback import About, Feedback, FeedbackKind, Said, feedback_json, names_in


class Format(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    OPENAI = "openai"
    OPENAI_PREFERENCE = "openai-preference"
    LM_EVAL = "lm-eval"


TASK = "deskmate_answers"
"""What lm-evaluation-harness knows the task by."""
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<!\w)\+?\d(?:[ ./()-]{0,2}\d){8,}(?!\w)")
_BREAKS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "\x85\u2028\u2029"}
"""What some readers take for the end of a line."""
_SHORTEST_NAME = 3  # letters; what is shorter is too often a word
Message = dict[str, object]


class Masked:
    """Takes out of texts what says who somebody is: names that the desk knows, addresses, long numbers."""

    def __init__(self, team: Sequence[str], others: Sequence[str] = ()) -> None:
        self._team = tuple(team)
        self._others = tuple(others)

    def but(self, names: Iterator[str]) -> "Masked":
        """The same with more names."""
        return Masked(self._team, (*self._others, *names))

    def __call__(self, text: str) -> str:
        text = _EMAIL.sub("[e-mail]", text)
        # Those of the team are the same in every line, so they are made ready once.
        for names in (self._others, self._team):
            if (pattern := _pattern(names)) is not None:
                text = pattern.sub("[name]", text)
        return _NUMBER.sub("[number]", text)


@lru_cache(maxsize=64)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """Whole names and their parts, as they are spelled, the longest first."""
    known = {name.strip() for name in names} | {part for name in names for part in name.split()}
    wanted = sorted((one for one in known if len(one) >= _SHORTEST_NAME), key=lambda one: (-len(one), one))
    if not wanted:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, wanted))})(?!\w)")


def lines_of(feedback: Feedback, format: Format, mask: Masked) -> Iterator[str]:
    """What a piece of feedback adds to an export: one line, or none."""
    if format is Format.JSONL:
        yield _line(feedback_json(feedback))
        return
    mask = mask.but(names_in(feedback))
    match format:
        case Format.OPENAI:
            found = example(feedback, mask)
        case Format.OPENAI_PREFERENCE:
            found = preference(feedback, mask)
        case Format.LM_EVAL:
            found = question(feedback, mask)
    if found is not None:
        yield _line(found)


def answer_of(feedback: Feedback) -> str | None:
    """The answer to the customer that a person stands for: they approved it, changed it, wrote it, or said what it should be."""
    if feedback.by.kind is not AuthorKind.OPERATOR or not feedback.prompt or not (feedback.final or "").strip():
        return None
    match feedback.kind, feedback.about:
        case (FeedbackKind.APPROVE | FeedbackKind.EDIT, About.DRAFT):
            return feedback.final
        case (FeedbackKind.ANSWER | FeedbackKind.CORRECTION, About.MESSAGE):
            return feedback.final
        case (FeedbackKind.ANSWER, About.QUESTION):
            # An answer to something else that an AI wanted to know is no answer to the customer.
            asked = (feedback.question or "").strip().startswith(feedback.prompt.strip())
            return feedback.final if asked else None
        case _:
            return None


def example(feedback: Feedback, mask: Masked) -> Mapping[str, object] | None:
    """One conversation for supervised fine-tuning. Only its last words are learned from: nobody has vouched for earlier ones."""
    answer = answer_of(feedback)
    if answer is None:
        return None
    before = [one if one["role"] == "user" else one | {"weight": 0} for one in _messages(feedback.context, mask)]
    return {"messages": [*before, {"role": "assistant", "content": mask(answer)}]}


def preference(feedback: Feedback, mask: Masked) -> Mapping[str, object] | None:
    """What a person said instead of what the AI would have said, or had said."""
    answer = answer_of(feedback)
    if answer is None or feedback.kind not in (FeedbackKind.EDIT, FeedbackKind.CORRECTION):
        return None
    preferred, other = mask(answer), mask(feedback.draft or "")
    before = _messages(feedback.context, mask)
    if not other.strip() or preferred.strip() == other.strip() or before[-1]["role"] != "user":
        return None
    return {
        "input": {"messages": before},
        "preferred_output": [{"role": "assistant", "content": preferred}],
        "non_preferred_output": [{"role": "assistant", "content": other}],
    }


def question(feedback: Feedback, mask: Masked) -> Mapping[str, object] | None:
    """One question of the evaluation: the conversation so far, and the answer that a person stands for."""
    answer = answer_of(feedback)
    if answer is None:
        return None
    lines = [
        f"{'Customer' if one['role'] == 'user' else 'Support'}: {one['content']}" for one in _messages(feedback.context, mask)
    ]
    return {"id": feedback.id, "conversation": "\n".join(lines), "reference": mask(answer)}


def _messages(context: Sequence[Said], mask: Masked) -> list[Message]:
    roles = {True: "user", False: "assistant"}
    return [{"role": roles[one.kind is AuthorKind.CUSTOMER], "content": mask(one.text)} for one in context]


def _line(record: Mapping[str, object]) -> str:
    return json.dumps(record, ensure_ascii=False, default=str).translate(_BREAKS) + "\n"


DATA_FILE = f"{TASK}.jsonl"
TASK_FILES: Mapping[str, str] = {
    f"{TASK}.yaml": f"""\
# Answers that people stand for: how close does a model come? lm_eval --tasks {TASK} --include_path DIR --model ...
task: {TASK}
custom_dataset: !function {TASK}.load
output_type: generate_until
test_split: test
doc_to_text: "{{{{conversation}}}}\\nSupport:"
doc_to_target: " {{{{reference}}}}"
target_delimiter: ""
generation_kwargs:
  until: ["\\nCustomer:"]
  do_sample: false
  max_gen_toks: 512
metric_list:
  - metric: chrf
    aggregation: chrf
    higher_is_better: true
  - metric: bleu
    aggregation: bleu
    higher_is_better: true
metadata:
  version: 1.0
""",
    f"{TASK}.py": f'''\
"""The data of the task, found beside this file wherever that is."""

import json
from pathlib import Path


def load(**_):
    from datasets import Dataset

    with Path(__file__).with_name("{DATA_FILE}").open(encoding="utf-8") as lines:
        return {{"test": Dataset.from_list([json.loads(line) for line in lines])}}
''',
}
"""The files of the task beside its data, DATA_FILE."""
