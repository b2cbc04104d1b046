"""The FAQ agent: answers from Markdown files by retrieval, quotes its source, and asks people when it is not sure."""

from deskmate.classifiers.encoder import Encoder, encoder_of
from deskmate.runners.faq.agent import DEFAULT_FLOOR, FaqAgent
from deskmate.runners.faq.library import Answer, Excerpt, FaqLibrary

__all__ = ["DEFAULT_FLOOR", "Answer", "Encoder", "Excerpt", "FaqAgent", "FaqLibrary", "encoder_of"]
