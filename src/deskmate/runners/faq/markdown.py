"""Markdown files as sections: a heading with its breadcrumb, and the blocks of text, lists, tables and code below it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from deskmate.runners.faq.markup import clean, pieces_of

_FRONT = re.compile(r"\A\ufeff?(?P<mark>---|\+\+\+)[ \t]*\n(?P<fields>.*?)\n(?P=mark)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^(?:title|Title)\s*[:=]\s*(?P<title>.+?)\s*$", re.MULTILINE)
_HINTS = re.compile(
    r"^(?:aliases|alias|keywords|description|summary|excerpt)\s*[:=][ \t]*(?P<hints>[^\n]*(?:\n[ \t]*-[ \t]+[^\n]*)*)",
    re.MULTILINE | re.IGNORECASE,
)
_LONGEST_FRONT = 4_000
_ADMONITION = re.compile(r"^(?P<indent>[ \t]*)(?:!!!|\?\?\?\+?|===!?)[ \t]+(?P<rest>.*)$")
_NOISE_LINE = re.compile(
    r"^\s*(?::{3,}.*|\{:.*\}|\{%.*%\}|\[\[_TOC_\]\]|\[TOC\]|--8<--.*|> *\[![A-Z]+\]"
    r"|import\s.+\sfrom\s['\"].+|import\s['\"].+['\"];?|export\s(?:const|default)\s.+)\s*$"
)
_CONTENTS = re.compile(
    r"(?:table of )?contents:?|toc|(?:on|in) this (?:page|article|guide)\W*|overview of this page", re.IGNORECASE
)
_SHORTCODE = re.compile(r"\{\{[<%].*?[%>]\}\}|\{\{.*?\}\}|\{#[\w-]+\}|\{:[^}\n]*\}")
_WIKI_LINK = re.compile(r"\[\[([^\]|\n]+)(?:\|[^\]\n]+)?\]\]")
_EMOJI_CODE = re.compile(r"(?<!\w):[a-z][a-z0-9_+-]{2,30}:(?!\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of a section that is not cut when it fits: `text`, `list`, `code` or `table`, as it is shown."""

    kind: str
    text: str


@dataclass(slots=True, kw_only=True)
class Section:
    """A heading, the headings above it, and what stands below it until the next heading."""

    title: str
    path: tuple[str, ...]
    file: str
    level: int
    blocks: list[Block] = field(default_factory=list[Block])
    hints: str = ""
    """What the front matter calls the page besides: other names, keywords, a summary. It is searched, not shown."""


def sections_of(source: str, *, file: str) -> tuple[str, list[Section]]:
    """The document's title and its sections in order; sections without text of their own are kept, for their children."""
    source, given, hints = _front_matter(source.replace("\r\n", "\n").replace("\r", "\n"))
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tree = SyntaxTreeNode(parser.parse(_prepared(source)))
    name = _name_of(file)
    open_: list[tuple[int, str]] = []
    first = Section(title=given or name, path=(), file=file, level=0)
    found = [first]
    flow = list(_flow(tree.children))
    # Pages with several headings of the first level (wikis) have no title among them: the name of the file is it.
    title = given or (name if sum(kind == "heading" and level == 1 for kind, level, _ in flow) > 1 else "")
    first.title = title or name
    for kind, level, text in flow:
        if kind != "heading":
            found[-1].blocks.append(Block(kind=kind, text=text))
            continue
        if not title and level == 1:
            title = first.title = text
        if level == 1 and text == title and len(found) == 1 and not first.blocks:
            continue
        while open_ and open_[-1][0] >= level:
            open_.pop()
        path = tuple(t for _, t in open_ if t != title)
        open_.append((level, text))
        found.append(Section(title=text, path=path, file=file, level=level))
    next((section for section in found if section.blocks), first).hints = hints
    return title or name, found


def _front_matter(source: str) -> tuple[str, str, str]:
    """(the rest, the title, the hints)."""
    front = _FRONT.match(source)
    if front is None:
        return source, "", ""
    title = _TITLE.search(front["fields"])
    hints = " ".join(match["hints"].replace("/", " ") for match in _HINTS.finditer(front["fields"][:_LONGEST_FRONT]))
    return source[front.end() :], clean(title["title"].strip("\"'")) if title else "", hints


def _name_of(file: str) -> str:
    *_, folder, leaf = ("", *file.split("/"))
    stem = leaf.rsplit(".", 1)[0]
    if stem.lower() in {"index", "_index", "readme"} and folder:
        stem = folder
    name = re.sub(r"[-_\s]+", " ", "".join(c for c in stem if c.isalnum() or c in "-_ .")).strip()
    return name[:1].upper() + name[1:] if name else leaf


def _prepared(source: str) -> str:
    """Dialects (MkDocs, Docusaurus, Hugo, wikis) made plain Markdown; code fences stay as they are."""
    lines: list[str] = []
    fence = ""
    depths: list[int] = []
    for raw in source.split("\n"):
        line = raw
        while depths and line.strip() and _indent(line) < depths[-1]:
            depths.pop()
        if depths:
            line = line[min(4 * len(depths), _indent(line)) :]
        bare = line.lstrip()
        if fence:
            fence = "" if bare.rstrip().startswith(fence) and not bare.strip(fence[0] + " ") else fence
            lines.append(line)
        elif bare.startswith(("```", "~~~")):
            fence = bare[: len(bare) - len(bare.lstrip(bare[0]))]
            lines.append(line)
        elif (admonition := _ADMONITION.match(line)) is not None:
            depths.append(_indent(raw) + 4)
            label = re.search(r'"([^"]+)"', admonition["rest"])
            lines.extend(["", label[1] if label else "", ""])
        elif _NOISE_LINE.match(line):
            lines.append("")
        elif line.startswith(("    ", "\t")):
            lines.append(line)
        else:
            lines.append(_WIKI_LINK.sub(r"\1", _EMOJI_CODE.sub("", _SHORTCODE.sub("", line))))
    return "\n".join(lines)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _flow(nodes: Iterable[SyntaxTreeNode]) -> Iterator[tuple[str, int, str]]:
    """(kind, heading level, text) of each block, in order."""
    for node in nodes:
        match node.type:
            case "heading":
                text = _inline(node.children[0]) if node.children else ""
                text = clean(text.replace("`", "")).strip("# ")
                if text and not _CONTENTS.fullmatch(text):
                    yield "heading", int(node.tag[1]), text
            case "html_block":
                for piece in pieces_of(node.content):
                    text = f"- {piece.text}" if piece.kind == "item" else piece.text
                    text = f"```\n{text}\n```" if piece.kind == "code" else text
                    yield {"item": "list", "heading": "heading", "code": "code"}.get(piece.kind, "text"), piece.level, text
            case "bullet_list" | "ordered_list":
                if not _is_navigation(node):
                    for text in _items(node):
                        yield "list", 0, text
            case "fence" | "code_block":
                if node.content.strip():
                    yield "code", 0, _fenced(node)
            case "table":
                yield from (("table", 0, row) for row in _rows(node))
            case "blockquote":
                yield from _flow(node.children)
            case "hr":
                pass
            case _:
                text = _paragraph(node)
                if text:
                    yield "text", 0, text


def _paragraph(node: SyntaxTreeNode) -> str:
    text = "\n".join(_inline(child) for child in node.children)
    text = "\n".join(line.strip() for line in re.sub(r"[ \t]+", " ", text.replace("¶", "")).split("\n")).strip()
    return "" if re.fullmatch(r"[\W_]*|\[!\w+\]|table of contents:?", text, re.IGNORECASE) else re.sub(r"^\[!\w+\]\s*", "", text)


def _fenced(node: SyntaxTreeNode) -> str:
    content = node.content.strip("\n")
    language = node.info.split()[0] if node.type == "fence" and node.info.strip() else ""
    language = language if re.fullmatch(r"[\w+#.-]{1,20}", language) else ""
    mark = "~~~" if "```" in content else "```"
    return f"{mark}{language}\n{content}\n{mark}"


def _inline(node: SyntaxTreeNode) -> str:
    if node.type == "inline" or node.children:
        if node.type == "image":
            return ""
        return "".join(_inline(child) for child in node.children)
    match node.type:
        case "text":
            return node.content
        case "code_inline":
            return f"`{node.content}`"
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "html_inline":
            return "\n" if re.match(r"<br\b", node.content, re.IGNORECASE) else ""
        case _:
            return ""


def _items(node: SyntaxTreeNode, depth: int = 0) -> Iterator[str]:
    """Each item of the list with what hangs below it, as one text."""
    number = int(str(node.attrs.get("start", 1))) if node.type == "ordered_list" else 0
    pad = "  " * depth
    for item in node.children:
        mark = f"{number}." if number else "-"
        number += bool(number)
        lines: list[str] = []
        for child in item.children:
            if child.type in {"bullet_list", "ordered_list"}:
                lines.extend(_items(child, depth + 1))
                continue
            for kind, _, text in _flow([child]):
                inner = f"{pad}  "
                if not lines and kind != "code":
                    lines.append(f"{pad}{mark} " + text.replace("\n", f"\n{inner}"))
                else:
                    lines.append("\n".join(f"{inner}{line}" if kind != "code" else line for line in text.split("\n")))
        if lines:
            yield "\n".join(lines)


def _rows(node: SyntaxTreeNode) -> Iterator[str]:
    for part in node.children:
        for row in part.children:
            cells = [clean(_inline(cell)) for cell in row.children]
            if any(cells):
                yield " | ".join(cells)


def _is_navigation(node: SyntaxTreeNode) -> bool:
    """A list of nearly nothing but links into the same documentation is a table of contents."""
    items = list(_leaves(node))
    return len(items) >= 2 and sum(map(_is_link, items)) >= 0.8 * len(items)


def _leaves(node: SyntaxTreeNode) -> Iterator[SyntaxTreeNode]:
    """The paragraphs of a list and of the lists in it."""
    for item in node.children:
        for child in item.children:
            if child.type in {"bullet_list", "ordered_list"}:
                yield from _leaves(child)
            else:
                yield child


def _is_link(paragraph: SyntaxTreeNode) -> bool:
    inline = paragraph.children[0] if paragraph.children else None
    parts = [n for n in (inline.children if inline is not None else []) if n.type != "text" or n.content.strip()]
    return len(parts) == 1 and parts[0].type == "link" and not re.match(r"https?:|mailto:", str(parts[0].attrs.get("href", "")))
