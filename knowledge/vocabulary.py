"""What the guide knows of words and names without asking anybody: for forms, searches and what people say they do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from knowledge.catalog import AnyEntry, Catalog
from knowledge.finding import Found
from knowledge.index import Index
from knowledge.introducing import Introduction, introduced
from knowledge.people import Declaration
from knowledge.people_rows import Names, names_of
from knowledge.team import Known
from knowledge.team_checks import Checker
from knowledge.text import key_of
from knowledge.titles import Titles, load_titles
from knowledge.withdrawing import Ended, may_withdraw, withdrawn


def stands_for(words: str, entry: AnyEntry | None) -> bool:
    """Tell whether a topic's spelling may stand for its entry: part of the name may, as "Airflow"; for none any may."""
    return entry is None or set(key_of(words).split()) <= set(key_of(entry.name).split())


class Vocabulary:
    """Give topics their keys and spellings, and find entries by what is typed."""

    def __init__(self, catalog: Catalog, index: Index) -> None:
        self.catalog = catalog
        self._index = index

    def checker(self, known: Known) -> Checker:
        """Return what checks entries and words of a workspace that knows this already."""
        return Checker(known, self._index.matcher)

    def people_names(self) -> Names:
        """Return what rows of people are checked against."""
        return names_of(self._index.matcher)

    def topic_key(self, label: str) -> str:
        """Return the key of a topic as typed: the entry that it names, else its words without endings."""
        return self._index.matcher.topic_key(label)

    def topic_start(self, typed: str) -> str:
        """Return what the keys of topics begin with that begin as was typed."""
        return self._index.matcher.key_of_words(typed)

    def spelled(self, key: str, typed: str, theirs: str | None) -> str:
        """Return the one spelling of a topic: ``theirs``, a colleague's, comes before what was typed.

        Short forms of an entry's name are spelled as the name: "k8s" is Kubernetes.
        """
        entry = self.catalog.entry(key)
        for words in (theirs, typed):
            if words and stands_for(words, entry):
                return words
        # The form takes commas between topics: such a name would be two at the next save.
        return entry.name if entry and "," not in entry.name else typed

    def find_roles(self, typed: str) -> Sequence[Found]:
        """Return the roles that something typed into a search box fits: by names, titles and tools."""
        return self._index.finder.roles(typed)

    def find_subjects(self, typed: str) -> Sequence[Found]:
        """Return the tools and subjects that something typed into a search box fits."""
        return self._index.finder.subjects(typed)

    def introduction(self, text: str) -> Introduction | None:
        """Return what somebody says that they do; None where the text is anything else."""
        return introduced(text, self._index.matcher)

    def may_withdraw(self, text: str) -> bool:
        """Tell whether a text may say that somebody does something no longer: only then is it worth looking up more."""
        return may_withdraw(text)

    def withdrawn(self, text: str, declaration: Declaration) -> Ended | None:
        """Return what somebody who declared this says that they do no longer; None where the text is anything else."""
        return withdrawn(text, declaration, self._index.matcher)

    def roles_of_title(self, title: str) -> tuple[str, ...]:
        """Return the roles that a title in a profile suggests; the first call takes half a second."""
        return _titles(self._index).roles(title) if title.strip() else ()


@lru_cache(maxsize=2)
def _titles(index: Index) -> Titles:
    return load_titles(index.matcher.catalog)
