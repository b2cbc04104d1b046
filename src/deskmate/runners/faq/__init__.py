"""The FAQ agent: answers from Markdown files by retrieval, quotes its source, and asks people when it is not sure."""

from deskmate.runners.faq.library import Answer, Excerpt, FaqLibrary

__all__ = ["Answer", "Excerpt", "FaqLibrary"]
