"""The examples run as a user would run them, tell what they are about, and leave nothing behind."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.acceptance.command_line import NO_PROXY, Server, environment, reply

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path.stem for path in EXAMPLES.glob("*.py"))

TOLD = {
    "answer_a_tool_call": [
        "Ana is asked about refund {'order': 20817, 'cents': 9900}: more than 10 euros. Paid: [].",
        "Approved. Paid: [9900]. The model was told: 99.00 euros are on their way",
        "Edited. Paid: [4900]. The model was told: {'result': '49.00 euros are on their way', "
        "'ran_with': {'order': 20817, 'cents': 4900}, 'arguments_changed_by': 'Ana'}",
        "Rejected. Paid: []. The model was told: Declined by Ana: the tent was used",
        "Answered in its place. Paid: []. The model was told: {'answer': 'I paid it in cash', 'by': 'Ana'}",
    ],
    "ask_a_human": [
        "The run is paused. Shop AI asks: May a tent be returned that was slept in?",
        "Ana sees one question, and what the AI would answer: No.",
        "Shop AI: I have asked Ana: Yes, within 60 days, if it is clean.",
    ],
    "assignment": [
        "Ana is too late: Ben holds the thread since",
        "  2  release    to accounts: Ana gave it to the queue accounts",
        "  4  hand_back  to ai: Ben handed back",
        "Note from Ben: She gets a voucher with her next order.",
        "  Shop AI: You said: Thank you. Anything else I should know?",
    ],
    "confidence_escalation": [
        "Shop AI: The Lyon shop is open until seven.",
        "  Ana sees: the agent is not sure: 0.40 of 0.70",
        "  Ana sees what it would have said: It might hold a storm of force 8.",
        "Ana: Force 9, we have tried it. Ana",
    ],
    "draft_approval": [
        "Drafted: Poles are not covered.\n    Ada reads: (nothing)",
        "Approved: Poles are not covered.\n    Ada reads: Poles are not covered.",
        "Edited: Poles are not covered.\n    Ada reads: Poles are not covered, but we mend them for 5 euros.",
        "Rejected: Poles are not covered.\n    Ada reads: (nothing)",
        "Written again: I am sorry to hear that. A new pole is on its way to you.\n    Ada reads: (nothing)",
        "    Ada reads: I am sorry to hear that. A new pole is on its way to you.",
    ],
    "human_reply": [
        "Ana's reply is turn 1, from human: {'human': {'id': 'op_",
        "operator  Ana: It is, until seven.",
        "   agent  Shop AI: As we said: It is, until seven.",
    ],
    "moderated_desk": [
        "Without a verdict the gate is closed.\n  Ada: Until when are you open?\n  Shop AI: Until seven.",
        "  Ada: How do I steal a tent?\n  Shop AI: A person from the team will answer you here.",
        "    [Ana sees: the safety model calls the customer's words unsafe: S2 Non-Violent Crimes]",
        "  Ada: How do I get a llama?\n  Shop AI: A person from the team will answer you here.",
        "    [Ana sees: the safety model calls the AI's answer unsafe: S2 Non-Violent Crimes]",
        "    [Ana sees what the AI wanted to say: Steal one from the zoo!]",
        "    [Ana sees: the safety model has no verdict on the customer's words (it cannot be reached): people decide]",
        "Without a verdict the gate is open.\n  Ada: Until when are you open on Monday?\n  Shop AI: Until seven.",
    ],
    "save_without_reply": [
        "0.0  Ada: A pole of my tent broke.",
        "1.0  Ada: Can it be mended by Friday?",
        "1.1  phone: We will look for a pole.",
        "Tokens spent: 0",
        "Held by: ai. Waiting since: None.",
    ],
    "support_chat": [
        "Shop AI: Our pages say: Monday to Saturday, 10:00 to 19:00.",
        "  [Ana is asked: Do you repair tent poles?]",
        "Shop AI: Ana says: Yes, while you wait.",
        "Shop AI: 49 euros are on their way to you.",
        "Shop AI: I have passed you on.",
        "Ana: Ana here.",
    ],
    "who_responds": [
        "  auto: held by the ai; the last word is Shop AI's, public",
        "review: held by the ai; the last word is Shop AI's, draft",
        "   off: held by the queue; the last word is Ada's, public",
        "While the AI writes, Ana took over. Nothing more of it is shown.",
        "The AI may not answer now: Ana holds this thread.",
        "  Shop AI: On Tuesday, too.",
    ],
}


def test_every_example_is_listed_and_tested() -> None:
    index = (EXAMPLES / "README.md").read_text("utf-8")
    assert re.findall(r"^\| \[(\w+)\.py\]\(\1\.py\) \|", index, re.MULTILINE) != []
    assert sorted(re.findall(r"^\| \[(\w+)\.py\]\(\1\.py\) \|", index, re.MULTILINE)) == PROGRAMS
    assert sorted(TOLD) == PROGRAMS
    assert {path.name for path in EXAMPLES.iterdir()} - {"__pycache__"} == {"README.md", *(f"{name}.py" for name in PROGRAMS)}


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_example_needs_the_base_install_only_and_says_what_it_shows(name: str) -> None:
    source = (EXAMPLES / f"{name}.py").read_text("utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    packages = {module.partition(".")[0] for module in imported} - sys.stdlib_module_names
    assert packages <= {"deskmate", "pydantic_ai"}
    assert source.count("# stands for a real ") == ("agents=[" in source)


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_example_tells_what_happens_and_leaves_nothing_behind(name: str, tmp_path: Path) -> None:
    here, home, temporary = tmp_path / "here", tmp_path / "home", tmp_path / "temporary"
    for folder in (here, home, temporary):
        folder.mkdir()
    program = shutil.copy(EXAMPLES / f"{name}.py", here)
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", program],
        cwd=here, env=environment(home, {"HOME": str(home), "TMPDIR": str(temporary)}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    place = 0
    for line in TOLD[name]:
        assert line in done.stdout[place:], f"{line!r} is not in\n{done.stdout}"
        place = done.stdout.index(line, place) + len(line)
    assert [path.name for path in here.iterdir()] == [f"{name}.py"]
    assert [*home.rglob("*"), *temporary.rglob("*")] == []


def test_the_support_chat_serves(start: Callable[..., Server], tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "support_chat.py", tmp_path)
    server = start("serve", "support_chat:desk")
    with httpx.Client(base_url=server.url, **NO_PROXY) as customer:
        customer.headers["Authorization"] = f"Bearer {customer.post('/api/chat/sessions').json()['token']}"
        said = reply(customer, "What are the opening hours in Lyon?", kind="agent")
        assert said == "Our pages say: Monday to Saturday, 10:00 to 19:00."
        assert "asking a colleague" in reply(customer, "Do you repair tent poles?", kind="system")
    server.stop()
    assert server.process.returncode == 0
