"""Raw HTML inside Markdown: reduced to the blocks a reader would see."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_SILENT = frozenset(
    {"script", "style", "head", "nav", "svg", "iframe", "video", "audio", "template", "noscript", "button", "select"}
)
_BREAKS = frozenset(
    {"p", "div", "section", "article", "ul", "ol", "table", "tr", "blockquote", "details", "summary", "dl", "br", "hr"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One block found in HTML: `heading` (with its level), `code`, `item` or `text`."""

    kind: str
    text: str
    level: int = 0


@dataclass(slots=True)
class _State:
    kind: str = "text"
    level: int = 0
    words: list[str] = field(default_factory=list[str])
    pieces: list[Piece] = field(default_factory=list[Piece])
    silent: int = 0
    pre: bool = False


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.state: _State = _State()

    def flush(self, kind: str = "text", level: int = 0) -> None:
        state = self.state
        raw = "".join(state.words)
        text = raw.strip("\n") if state.kind == "code" else clean(raw)
        if text:
            state.pieces.append(Piece(kind=state.kind, text=text, level=state.level))
        state.words.clear()
        state.kind, state.level = kind, level

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        state = self.state
        if tag in _SILENT:
            state.silent += 1
        elif tag in _HEADINGS:
            self.flush("heading", int(tag[1]))
        elif tag == "pre":
            self.flush("code")
            state.pre = True
        elif tag in {"li", "dt"}:
            self.flush("item")
        elif tag == "dd":
            state.words.append(": ")
        elif tag == "code" and not state.pre:
            state.words.append("`")
        elif tag in {"td", "th"}:
            state.words.append(" | " if "".join(state.words).strip() else " ")
        elif tag in _BREAKS and not state.pre:
            if state.kind == "item" and tag in {"p", "div", "br"}:
                state.words.append(" ")
            else:
                self.flush()

    def handle_endtag(self, tag: str) -> None:
        state = self.state
        if tag in _SILENT:
            state.silent = max(0, state.silent - 1)
        elif tag == "pre":
            self.flush()
            state.pre = False
        elif tag == "code" and not state.pre:
            state.words.append("`")
        elif (
            tag in _HEADINGS
            or tag in {"li", "dd", "dl", "ul", "ol"}
            or (tag in _BREAKS and state.kind != "item" and not state.pre)
        ):
            self.flush()

    def handle_data(self, data: str) -> None:
        if not self.state.silent:
            self.state.words.append(data)


def clean(text: str) -> str:
    """One line, without permalink signs."""
    return re.sub(r"\s+", " ", text.replace("¶", " ")).strip()


def pieces_of(html: str) -> list[Piece]:
    """The readable blocks of a piece of HTML; comments, scripts, navigation and pictures are no text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.flush()
    return reader.state.pieces
