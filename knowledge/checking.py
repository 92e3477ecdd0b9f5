"""Check the content files as a whole: everything that is wrong with any of them, said at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from knowledge.catalog import load_catalog
from knowledge.content_files import load_file
from knowledge.conversation import FollowUpCues
from knowledge.errors import ContentError
from knowledge.examples import FILES, load_examples
from knowledge.glossaries import load_glossaries
from knowledge.index import load_index
from knowledge.questions import load_questions
from knowledge.status import load_statuses
from knowledge.text import load_reader
from knowledge.titles import TitleRules, load_title_reader

T = TypeVar("T")


def check_content() -> str:
    """Return what the content holds. Raises ContentError with every problem of every file, each once."""
    problems: list[str] = []

    def tried(load: Callable[[], T]) -> T | None:
        try:
            return load()
        except ContentError as error:
            problems.extend(error.problems)
            return None

    catalog = tried(load_catalog)
    tried(load_reader)
    tried(load_questions)
    tried(lambda: load_file("follow_ups.yaml", FollowUpCues))
    tried(lambda: load_file("titles.yaml", TitleRules))
    glossaries = tried(load_glossaries)
    tried(load_statuses)
    if catalog is not None:
        # These need the entries as well; what is wrong with a file alone was found above.
        tried(partial(load_index, catalog))
        tried(partial(load_title_reader, catalog))
        for name in FILES:
            tried(partial(load_examples, name, catalog))
    if problems or catalog is None or glossaries is None:
        raise ContentError(list(dict.fromkeys(problems)))
    return (
        f"{len(catalog.roles)} roles, {len(catalog.topics)} topics, {len(catalog.tools)} tools, "
        f"{len(glossaries)} languages besides English"
    )
