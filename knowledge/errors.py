"""The errors that the knowledge base raises."""

from __future__ import annotations


class KnowledgeError(Exception):
    """Be the base of every error of this package."""


class ContentError(KnowledgeError):
    """Report everything that is wrong with the content files, one line a problem."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))
