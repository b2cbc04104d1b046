"""The meaning of texts: the model that comes with the extra, models of a folder, and the FAQ library with and without one."""

import importlib.util
import itertools
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deskmate.classifiers import encoder as encoders
from deskmate.classifiers.encoder import Reading
from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.faq import FaqEntry
from deskmate.errors import Misconfigured
from deskmate.runners.faq import DEFAULT_FLOOR, Encoder, FaqLibrary, encoder_of
from deskmate.runners.faq.meaning import kept_in

PAGES = """# Backups

## Excluding documents
Paths that match one of the patterns in `exclude_patterns` are not read.

## Retention
Old archives are pruned after a week.

## Encryption
Archives are encrypted with a passphrase.
"""
QUESTION = "Can I leave certain files out?"


@pytest.fixture(autouse=True)
def _caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.packaged()


@pytest.fixture(scope="module")
def library(encoder: Encoder) -> FaqLibrary:
    library = FaqLibrary([("backups.md", PAGES)], encoder=encoder)
    library.wait()
    return library


def test_texts_that_say_the_same_in_other_words_are_near(encoder: Encoder) -> None:
    asked = encoder.read("leave out certain files").whole
    assert asked @ encoder.read("exclude some documents").whole > 0.5
    assert asked @ encoder.read("the weather in Lyon").whole < 0.2


def test_vectors_are_of_length_one_and_the_same_each_time(encoder: Encoder) -> None:
    read = encoder.read("a house")
    assert read.whole.tolist() == encoder.read("a house").whole.tolist()
    assert (read.whole.shape, read.words.shape) == ((encoder.size,), (2, encoder.size))
    assert [row @ row for row in (read.whole, *read.words)] == pytest.approx([1.0] * 3, abs=1e-5)


@pytest.mark.parametrize(("text", "words"), [("", 0), ("x " * 5_000, 126), ("日本語", 3), ("\x00\ufffd", 0)])
def test_any_text_can_be_read(encoder: Encoder, text: str, words: int) -> None:
    assert encoder.read(text).words.shape == (words, encoder.size)


def test_a_section_is_found_by_what_it_means(library: FaqLibrary) -> None:
    by_words = FaqLibrary([("backups.md", PAGES)]).answer(QUESTION)
    assert by_words is None or by_words.confidence < DEFAULT_FLOOR
    found = library.answer(QUESTION)
    assert found is not None
    assert found.excerpt.title == "Excluding documents"
    assert found.evidence.near is not None


def test_what_the_pages_do_not_say_stays_below_the_floor(library: FaqLibrary) -> None:
    for question in ("Do you ship to Switzerland?", "What is the capital of France?", "How do I paint a wall?"):
        found = library.answer(question)
        assert found is None or found.confidence < DEFAULT_FLOOR


def test_without_an_encoder_nothing_of_it_is_known() -> None:
    library = FaqLibrary([("backups.md", PAGES)])
    library.wait()
    found = library.answer("How long are archives retained?")
    assert found is not None
    assert found.evidence.near is None


def test_an_empty_library_answers_nothing(encoder: Encoder) -> None:
    library = FaqLibrary([], encoder=encoder)
    library.wait()
    assert library.answer("refund") is None
    assert library.search("refund") == []


def test_answers_do_not_wait_for_the_reading(encoder: Encoder) -> None:
    pages = [(f"{n}.md", f"# Topic {n}\n\nSome words about {n}.\n") for n in range(150)]
    library = FaqLibrary([*pages, ("backups.md", PAGES)], encoder=encoder)
    found = library.answer("How are documents excluded?")
    assert found is not None
    assert found.excerpt.title == "Excluding documents"


class Counting:
    """An encoder that counts the texts it is given."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.size = encoder.name, encoder.size
        self.count = 0

    def read(self, text: str, *, query: bool = False) -> Reading:
        self.count += 1
        return self._encoder.read(text, query=query)


def loaded(folder: Path, encoder: Encoder) -> tuple[FaqLibrary, int]:
    """The library, and how many texts were read for it."""
    counting: Any = Counting(encoder)
    library = FaqLibrary.load(folder, encoder=counting)
    library.wait()
    return library, counting.count


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "backups.md").write_text(PAGES)
    return folder


def test_the_next_start_reads_only_what_is_new_and_says_the_same(folder: Path, encoder: Encoder) -> None:
    library, read = loaded(folder, encoder)
    again, nothing = loaded(folder, encoder)
    assert (read > 0, nothing) == (True, 0)
    assert again.answer(QUESTION) == library.answer(QUESTION)
    (folder / "more.md").write_text("# More\n\nOne page more.\n")
    assert 0 < loaded(folder, encoder)[1] < read


def test_an_answer_of_the_team_is_found_by_its_meaning_and_nothing_else_is_read_anew(encoder: Encoder) -> None:
    counting: Any = Counting(encoder)
    library = FaqLibrary([("backups.md", PAGES)], encoder=counting)
    library.wait()
    counting.count = 0
    by = Author(kind=AuthorKind.OPERATOR, name="Lea")
    entry = FaqEntry(
        id="faq_1", question="How much does a licence cost?", answer="It is free of charge.", by=by, created_at=datetime.now(UTC)
    )
    taught = library.with_entries([entry])
    taught.wait()
    assert counting.count == 2  # The entry, and its title.
    found = taught.answer("What do I have to pay for a licence?")
    assert found is not None
    assert found.excerpt.file == "faq_1"
    assert taught.answer(QUESTION) is not None


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half of a file", b"no archive"])
def test_a_damaged_file_of_vectors_is_worked_out_anew(folder: Path, encoder: Encoder, damage: bytes) -> None:
    _, read = loaded(folder, encoder)
    file = kept_in(folder, encoder)
    assert file is not None
    file.write_bytes(damage)
    assert loaded(folder, encoder)[1] == read
    assert loaded(folder, encoder)[1] == 0


def test_a_cache_that_cannot_be_written_is_done_without(folder: Path, encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder would be")
    library, _ = loaded(folder, encoder)
    assert library.answer("How are documents excluded?") is not None


def test_a_folder_with_a_model_is_read_as_sentence_transformers_exports_it(encoder: Encoder, tmp_path: Path) -> None:
    folder = model_in(tmp_path / "model")
    packaged = encoder.read("a refund").whole.tolist()
    assert Encoder.load(folder).read("a refund").whole.tolist() == packaged
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    (folder / "config_sentence_transformers.json").write_text('{"prompts": {"query": "query: ", "document": "passage: "}}')
    other = Encoder.load(folder)
    found = [other.read("a refund").whole.tolist(), other.read("a refund", query=True).whole.tolist(), packaged]
    assert all(one != another for one, another in itertools.combinations(found, 2))


def model_in(folder: Path) -> Path:
    folder.mkdir()
    for package, (name, _) in encoders.PACKAGED.items():
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        shutil.copy(Path(spec.origin).parent / name, folder)
    return folder


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "no model.onnx"),
        ({"model.onnx": "x"}, "no tokenizer.json"),
        ({"model.onnx": "x", "tokenizer.json": "x"}, "tokenizer.json cannot be read"),
        ({"model.onnx": "x", "tokenizer.json": None}, "cannot be read"),
    ],
)
def test_a_folder_without_a_model_is_refused(tmp_path: Path, files: dict[str, str | None], problem: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(
            text
            or '{"version": "1.0", "model": {"type": "WordPiece", "vocab": {"[UNK]": 0},'
            '"unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}, "added_tokens": []}'
        )
    with pytest.raises(Misconfigured, match=problem) as caught:
        encoder_of(str(tmp_path))
    assert caught.value.field == "embeddings"


def test_the_setting_chooses_the_encoder() -> None:
    assert encoder_of("off") is None
    assert encoder_of("auto") is not None
    with pytest.raises(Misconfigured, match="no model"):
        encoder_of("nowhere")


@pytest.mark.parametrize("missing", ["onnxruntime", "tokenizers", "numpy", *encoders.PACKAGED])
def test_without_the_extra_words_have_to_do(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    assert encoder_of("auto") is None
    with pytest.raises(Misconfigured, match=rf"needs {missing}: pip install 'deskmate\[embeddings\]'") as caught:
        Encoder.packaged()
    assert caught.value.field == "embeddings"


@pytest.mark.parametrize("package", encoders.PACKAGED)
def test_another_model_in_the_package_is_refused(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, _ = encoders.PACKAGED[package]
    monkeypatch.setattr(encoders, "PACKAGED", {**encoders.PACKAGED, package: (name, "0" * 64)})
    with pytest.raises(Misconfigured, match="not the one that was measured"):
        Encoder.packaged()


def test_the_faq_agent_loads_nothing_of_the_extra_by_itself() -> None:
    script = "import sys, deskmate.runners.faq; print(sorted({'numpy', 'onnxruntime', 'tokenizers'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_word_that_is_missed_most_and_a_passage_that_stands_out_are_known(library: FaqLibrary) -> None:
    said, unsaid = library.answer("How are archives encrypted?"), library.answer("Can archives be printed on paper?")
    assert said is not None
    assert unsaid is not None
    assert said.evidence.near is not None
    assert unsaid.evidence.near is not None
    assert said.evidence.near.unsaid < unsaid.evidence.near.unsaid
    assert said.evidence.near.lead > 0
    assert said.confidence > DEFAULT_FLOOR > unsaid.confidence


def test_the_tokens_of_a_text_tell_where_they_stand(encoder: Encoder) -> None:
    text = "Unquotable words"
    spans = encoder.read(text, query=True).spans
    assert "".join(text[start:end] for start, end in spans) == "Unquotablewords"
