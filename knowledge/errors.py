"""The errors that the knowledge base raises."""

from __future__ import annotations


class KnowledgeError(Exception):
    """Be the base of every error of this package."""


class ForgottenSince(KnowledgeError):
    """Report that a person was forgotten after they began what was to be written about them: nothing was."""

    def __init__(self) -> None:
        super().__init__(
            "You asked me to forget you while this was under way, so nothing of it was kept. "
            "If you want it after all, do it once more."
        )


class KeyMissing(KnowledgeError):
    """Report that what is needed is encrypted with a key that this process does not have; another may have it."""


class ContentError(KnowledgeError):
    """Report everything that is wrong with the content files, one line a problem."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))
