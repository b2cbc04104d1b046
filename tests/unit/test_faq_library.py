"""The FAQ library: what it reads from Markdown, what it finds, and how sure it is."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskmate.errors import Misconfigured
from deskmate.runners.faq import DEFAULT_FLOOR, FaqLibrary
from deskmate.runners.faq.excerpt import LONGEST

RETURNS = """---
title: Returns and refunds
---
<!-- internal: do not promise more than 30 days -->
[![build](https://example.com/badge.svg)](https://example.com)

* [Sending back](#sending-back)
* [Refunds](#refunds)

## Sending back
You can return any unused item within 30 days. See [our form](https://example.com/form) ![picture](x.png).

## How long do refunds take?
Refunds reach your card 5 to 10 business days after we receive the parcel.

```bash
refund --status ORDER
```
"""
SHIPPING = """# Shipping

We ship to all EU countries and Switzerland. Standard delivery takes 3 to 5 days and costs 4.90 EUR.

## Express
Express delivery costs 12 EUR.

| Country | Price |
| --- | --- |
| Germany | 12 EUR |
| France | 15 EUR |
"""
ACCOUNT = """# Your account

## Change your password
1. Open **Settings**.
2. Choose *Security* and set a new password.

## Setting up two-factor authentication
Scan the code with your authenticator app.
"""


@pytest.fixture(scope="module")
def library() -> FaqLibrary:
    return FaqLibrary([("returns.md", RETURNS), ("shipping.md", SHIPPING), ("help/account.md", ACCOUNT)])


def answered(library: FaqLibrary, question: str) -> str:
    found = library.answer(question)
    assert found is not None, question
    assert found.confidence >= DEFAULT_FLOOR, (question, found)
    return found.text


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How long does it take until I get my refund?", "5 to 10 business days"),
        ("when will i get my money back", "5 to 10 business days"),
        ("Do you ship to Switzerland?", "Switzerland"),
        ("how much is express delivery", "12 EUR"),
        ("How do I change my pasword?", "set a new password"),
        ("setup of 2fa", "authenticator app"),
        ("CHANGE PASSWORD!!!", "set a new password"),
    ],
)
def test_a_question_in_other_words_is_answered_from_the_right_section(library: FaqLibrary, question: str, expected: str) -> None:
    assert expected in answered(library, question)


@pytest.mark.parametrize(
    "question",
    [
        "what's the weather in Paris?",
        "Do you sell wedding dresses?",
        "Can I pay with Bitcoin?",
        "How do I delete my fingerprint from the vending machine?",
        "Is there a shop in Madrid?",
        "my printer is on fire",
    ],
)
def test_what_the_files_do_not_say_stays_below_the_floor(library: FaqLibrary, question: str) -> None:
    found = library.answer(question)
    assert found is None or found.confidence < DEFAULT_FLOOR


def test_an_answer_names_title_section_and_file(library: FaqLibrary) -> None:
    text = answered(library, "How long do refunds take?")
    assert text.endswith("Source: Returns and refunds › How long do refunds take? (returns.md)")


def test_the_file_is_named_with_its_folder(library: FaqLibrary) -> None:
    assert "(help/account.md)" in answered(library, "How do I change my password?")


def test_comments_badges_pictures_links_and_tables_of_contents_are_not_quoted(library: FaqLibrary) -> None:
    everything = "\n".join(passage.text for passage in library.passages)
    for noise in ("internal", "badge", "example.com", "x.png", "picture", "#refunds", "title:"):
        assert noise not in everything
    assert "See our form" in everything


def test_code_tables_and_numbered_steps_keep_their_shape(library: FaqLibrary) -> None:
    assert "```bash\nrefund --status ORDER\n```" in answered(library, "How long do refunds take?")
    assert "Germany | 12 EUR" in answered(library, "How much is express delivery?")
    assert "1. Open Settings.\n2. Choose Security" in answered(library, "How do I change my password?")


def test_search_gives_excerpts_best_first_and_not_more_than_asked_for(library: FaqLibrary) -> None:
    found = library.search("refund", limit=2)
    assert len(found) == 1 or found[0].score >= found[1].score
    assert (found[0].file, found[0].title) == ("returns.md", "How long do refunds take?")
    assert library.search("refund", limit=0) == []
    assert library.search("", limit=5) == []


def test_a_follow_up_is_found_with_the_question_before_it(library: FaqLibrary) -> None:
    alone = library.answer("and for France?")
    joined = library.answer("and for France?", context="How much does express delivery cost?")
    assert joined is not None
    assert "France | 15 EUR" in joined.text
    assert alone is None or joined.confidence > alone.confidence


@pytest.mark.parametrize(
    "query",
    [
        '"', "'", '""" OR 1=1 --', "a AND", "NEAR(", "title:x", "*", "^refund", "refund*", "(refund", "-refund", "\x00refund\x00",
        "\ud800", "💳💸", "the of and", "?" * 500, "refund " * 1_500, "x" * 10_000,
        "کی رقم", "退款需要多久", "{[}]", "é" * 300, "\n\t ", "%s %d",
        "NOT refund", "refund OR", "col:refund", "ﬁ", "ẞ", "1" * 400,
    ],
)  # fmt: skip
def test_hostile_queries_are_only_words(library: FaqLibrary, query: str) -> None:
    found = library.answer(query)
    assert found is None or 0.0 <= found.confidence <= 1.0
    assert len(library.search(query, limit=3)) <= 3


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.text(max_size=300)
    | st.lists(st.sampled_from(["refund", "take", '"', "AND", "(", "\x00", "how"]), max_size=30).map(" ".join)
)
def test_no_query_raises(library: FaqLibrary, query: str) -> None:
    found = library.answer(query)
    assert found is None or 0.0 <= found.confidence <= 1.0


BLOCKS = st.one_of(
    st.text(alphabet="abc \n.`~#-*|é", min_size=1, max_size=400),
    st.integers(1, 90).map(lambda n: "```py\n" + "\n".join(f"line {i} of refund()" for i in range(n)) + "\n```"),
    st.integers(1, 900).map(lambda n: "refund " + "x" * n),
    st.integers(1, 60).map(lambda n: "\n".join(f"- item {i} of the refund list, described at some length" for i in range(n))),
    st.integers(1, 60).map(lambda n: "This sentence is about one refund. " * n),
    st.integers(1, 30).map(lambda n: "```\nrefund\n" * n),
    st.just("~~~~\nrefund\n```\n~~~~"),
)


@settings(max_examples=120, deadline=None)
@given(blocks=st.lists(BLOCKS, min_size=1, max_size=8), title=st.text(alphabet="ab `", max_size=700))
def test_an_answer_never_exceeds_2000_characters_and_closes_its_code_fences(blocks: list[str], title: str) -> None:
    library = FaqLibrary([("a.md", f"# {title}\n\nAll about a refund.\n\n" + "\n\n".join(blocks))])
    found = library.answer("refund")
    assert found is not None
    assert len(found.text) <= LONGEST
    assert open_fences(found.text) == 0
    assert found.text.rsplit("\n\n", 1)[1].startswith("Source: ")


def open_fences(text: str) -> int:
    """1 when a fence is left open, by the rules of CommonMark."""
    mark = ""
    for line in text.split("\n"):
        bare = line.strip()
        if not mark and bare.startswith(("```", "~~~")):
            mark = bare[: len(bare) - len(bare.lstrip(bare[0]))]
        elif mark and bare.startswith(mark) and not bare.strip(mark[0]):
            mark = ""
    return int(bool(mark))


def test_close_rivals_are_quoted_in_short_each_with_its_own_source() -> None:
    sections = [f"## Refunds for {what}\nA refund for {what} takes {n} days." for n, what in enumerate(("shoes", "hats", "bags"))]
    library = FaqLibrary([("a.md", "# Guide\n\n" + "\n\n".join(sections))])
    found = library.answer("How long does a refund take?")
    assert found is not None
    assert len(found.also) == 2
    for excerpt in (found.excerpt, *found.also):
        assert excerpt.text in found.text
        assert f"Source: {excerpt.section} (a.md)" in found.text


@settings(max_examples=80, deadline=None)
@given(sections=st.lists(st.lists(BLOCKS, min_size=1, max_size=4), min_size=2, max_size=6))
def test_an_answer_with_rivals_is_not_longer_and_closes_its_fences_too(sections: list[list[str]]) -> None:
    text = "\n\n".join(f"## Refund {n}\n\nAbout a refund.\n\n" + "\n\n".join(blocks) for n, blocks in enumerate(sections))
    found = FaqLibrary([("a.md", text)]).answer("refund")
    assert found is not None
    assert len(found.text) <= LONGEST
    assert open_fences(found.text) == 0
    assert f"Source: {found.excerpt.section.replace('`', chr(39))}" in found.text


def test_where_not_all_fits_a_list_keeps_the_sentence_that_introduces_it() -> None:
    items = "\n".join(f"- Format number {n}, described at some length so that it takes its room" for n in range(60))
    library = FaqLibrary([("a.md", f"# Guide\n\n## Files\nThe following file formats are supported:\n\n{items}\n")])
    assert "The following file formats are supported:\n\n- Format number 0" in answered(
        library, "Which file formats are supported?"
    )


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Terminate your contract in the settings.", "How do I cancel my contract?"),
        ("Erase the disk with the wizard.", "How do I delete the disk?"),
        ("Set up single sign on with the wizard.", "How do I configure SSO?"),
    ],
)
def test_the_thesaurus_finds_what_is_said_in_other_words(said: str, asked: str) -> None:
    library = FaqLibrary([("a.md", f"# Help\n\n## One\n{said}\n\n## Two\nSomething about parrots and the weather.\n")])
    assert library.search(asked, limit=1)[0].title == "One"


def test_a_name_that_the_files_lack_is_missing_though_a_near_word_is_there() -> None:
    library = FaqLibrary([("a.md", "# Help\n\n## Email\nSend an email with the form.\n\n## Cats\nAbout cats.\n")])
    found = library.answer("Can it send email over SMTP?")
    assert found is not None
    assert found.evidence.missing == ("smtp",)
    assert found.evidence.name_missing == 1.0


def test_a_heading_of_a_table_of_contents_is_no_heading() -> None:
    library = FaqLibrary([("a.md", "# Refunds\n\n### Table of Contents {#toc}\n\nYou get your money back in a week.\n")])
    assert [(passage.title, passage.text) for passage in library.passages] == [("Refunds", "You get your money back in a week.")]


def test_other_names_in_the_front_matter_are_searched_and_not_shown() -> None:
    pages = [
        ("a.md", "---\ntitle: Reserves\naliases:\n  - Overdraft\n  - How to/Dispo\n---\nYour reserve is 500 EUR."),
        ("b.md", "# Fees\n\nOur fees are low."),
    ]
    (found,) = FaqLibrary(pages).search("overdraft", limit=3)
    assert (found.file, found.text, found.section) == ("a.md", "Your reserve is 500 EUR.", "Reserves")


def test_a_long_section_is_cut_after_a_sentence() -> None:
    library = FaqLibrary([("a.md", "# Guide\n\n## Refunds\n" + "A refund is made by our team in a few days. " * 100)])
    body = answered(library, "How are refunds made?").rsplit("\n\nSource:", 1)[0]
    assert body.endswith("in a few days. …")


def test_mkdocs_docusaurus_hugo_and_html_pages_are_read_as_text() -> None:
    source = """import Tabs from '@theme/Tabs';

{{< relref "x" >}}

!!! warning "Careful"
    Never share the recovery code.

:::note
A note about backups.
:::

<h2 id="x">Opening hours <a class="anchor" href="#x">¶</a></h2>
<script>var secret = 1;</script>
<ul><li>Monday: <b>9</b> to 17</li><li>Sunday: closed</li></ul>
"""
    library = FaqLibrary([("hours.md", source)])
    everything = "\n".join(f"{passage.title}\n{passage.text}" for passage in library.passages)
    assert "Never share the recovery code." in everything
    assert "A note about backups." in everything
    assert "Opening hours\n- Monday: 9 to 17\n- Sunday: closed" in everything
    for noise in ("import", "relref", ":::", "secret", "¶", "<b>", "```"):
        assert noise not in everything


def test_a_folder_is_read_with_its_folders_and_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("a.md", "sub/b.markdown", ".git/c.md", "sub/notes.txt", "_sidebar.md", "node_modules/d.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# About {path.stem}\n\nSome text.", encoding="utf-8")
    assert {passage.file for passage in FaqLibrary.load(tmp_path).passages} == {"a.md", "sub/b.markdown"}


@pytest.mark.parametrize("content", [None, "", "   \n", "# Only a heading\n", "<!-- nothing -->"])
def test_a_folder_without_text_is_a_misconfiguration_of_faq(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "a.md").write_text(content, encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        FaqLibrary.load(tmp_path)
    assert caught.value.field == "faq"


def test_a_missing_folder_is_a_misconfiguration_of_faq(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="does not exist") as caught:
        FaqLibrary.load(tmp_path / "nowhere")
    assert caught.value.field == "faq"


def test_a_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "latin.md").write_bytes("# Café\n\nHäuser".encode("latin-1"))
    with pytest.raises(Misconfigured, match=r"latin\.md is not UTF-8 \(line 1\)") as caught:
        FaqLibrary.load(tmp_path)
    assert caught.value.field == "faq"


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes("\ufeff---\r\ntitle: Hours\r\n---\r\nWe are open on Monday.\r\n".encode())
    library = FaqLibrary.load(tmp_path)
    assert (library.passages[0].document, library.passages[0].text) == ("Hours", "We are open on Monday.")


def test_several_threads_may_ask_at_once(library: FaqLibrary) -> None:
    questions = ["How long do refunds take?", "Do you ship to Switzerland?", "how do I change my pasword", "zzz qqq"] * 25
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(library.answer, questions))
    assert together == [library.answer(question) for question in questions]


def test_three_hundred_files_are_indexed_in_seconds_and_searched_in_milliseconds() -> None:
    words = [f"word{n % 997}" for n in range(12_000)]
    documents = [
        (
            f"f{n}.md",
            "\n\n".join(f"## Part {p} about topic{n}\n" + " ".join(words[(n * 31 + p * 17) % 9_000 :][:120]) for p in range(6)),
        )
        for n in range(300)
    ]
    began = time.perf_counter()
    library = FaqLibrary(documents)
    built = time.perf_counter() - began
    library.answer("warm up")
    began = time.perf_counter()
    for n in range(20):
        found = library.answer(f"what is topic{n * 7} about, with word{n} and word{n * 3}?")
        assert found is not None
        assert found.excerpt.file == f"f{n * 7}.md"
    # Generous limits, so that a busy machine does not fail them: usual are 1 s and 5 ms.
    assert built < 15
    assert (time.perf_counter() - began) / 20 < 0.1
