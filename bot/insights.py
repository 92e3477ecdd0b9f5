"""`python -m bot insights`: questions without an answer, or with a poor one, in groups, so that content can grow."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

from rapidfuzz import fuzz, process

from bot.app import open_database
from bot.migrations import UNUSABLE, unusable
from bot.settings import Settings, SettingsError
from knowledge.catalog import Catalog, load_catalog
from knowledge.confidence import UNSURE
from knowledge.feedback import Asked
from knowledge.index import Index, load_index
from storage.database import head_version, schema_version, sqlite_file
from storage.feedback import MOST_READ, Learned, SqlFeedback

NEAR = 80
"""Two questions are near from this share of common words on (rapidfuzz's token_set_ratio, 0 to 100) …"""
ALIKE = 50
"""… and this one over all their words: or a question of one word would be near to every one that holds it."""
MOST_EXAMPLES = 3
NOTHING = "Nothing to learn from: the last {days} days hold no question without an answer, and no disliked answer."
LIMIT = f"Of more questions than {MOST_READ:,}, the newest {MOST_READ:,} are shown."


@dataclass(frozen=True)
class Cluster:
    """Hold questions that are near to each other."""

    size: int
    nearest: str | None
    """The id of the entry that fits most of them best."""
    shown: dict[str, int]
    """Ids of the entries that were shown for them, with how often, most often first."""
    confidence: float
    """The highest of their answers."""
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Insights:
    """Hold what can be learned from a span of days, largest clusters first."""

    days: int
    questions_unanswered: int
    votes_helpful: int
    votes_not_helpful: int
    unreadable: int
    """Questions whose key is gone."""
    unanswered: tuple[Cluster, ...]
    disliked: tuple[Cluster, ...]


async def gather(settings: Settings, days: int, now: datetime | None = None) -> Insights:
    """Read the questions of the last days and group them; nothing is changed, and no database is made.

    Raises SettingsError where the database or the keys can't be used.
    """
    today = now or datetime.now(UTC)
    learned = await _read(settings, today - timedelta(days=days), today)
    catalog = load_catalog()
    index = load_index(catalog)
    return Insights(
        days,
        learned.unanswered_questions,
        learned.helpful_votes,
        learned.unhelpful_votes,
        learned.unreadable,
        tuple(clusters(learned.unanswered, index)),
        tuple(clusters(learned.disliked, index)),
    )


async def _read(settings: Settings, since: datetime, now: datetime) -> Learned:
    try:
        file = sqlite_file(settings.database)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    if file is not None and not file.exists():
        return Learned((), (), 0, 0, 0, 0)
    engine = open_database(settings)
    try:
        async with engine.connect() as connection:
            current = await schema_version(connection)
        if current != head_version():
            raise SettingsError("The database's schema is not current. Run: python -m bot migrate")
        return await SqlFeedback(engine).since(since, now)
    except UNUSABLE as error:
        raise unusable(settings.database, error) from error
    finally:
        await engine.dispose()


def clusters(questions: Sequence[Asked], index: Index) -> list[Cluster]:
    """Group questions that are near to each other, largest group first; the same questions give the same groups."""
    by_words: dict[str, list[Asked]] = {}
    for question in questions:
        by_words.setdefault(_words(question.text, index), []).append(question)
    found = [
        _cluster(list(chain.from_iterable(by_words[key] for key in group)), index) for group in linked(sorted(by_words))
    ]
    return sorted(found, key=lambda cluster: (-cluster.size, cluster.examples))


def _words(text: str, index: Index) -> str:
    """Return the words that say something, without endings and in one order; all words where none of them does."""
    reader = index.matcher.reader
    stems = [token.stem for token in reader.read(text)]
    telling = [stem for stem in stems if stem not in reader.stop]
    return " ".join(sorted(set(telling or stems)))


def linked(keys: Sequence[str]) -> list[list[str]]:
    """Group keys by single link: whoever is near to one of a group belongs to it."""
    leader = list(range(len(keys)))

    def first_of(at: int) -> int:
        while leader[at] != at:
            leader[at] = leader[leader[at]]
            at = leader[at]
        return at

    for at, key in enumerate(keys):
        rest = keys[at + 1 :]
        for other, _, place in process.extract(
            key, rest, scorer=fuzz.token_set_ratio, score_cutoff=NEAR, limit=len(rest)
        ):
            if fuzz.token_sort_ratio(key, other) >= ALIKE:
                one, two = sorted((first_of(at), first_of(at + 1 + place)))
                leader[two] = one
    groups: dict[int, list[str]] = {}
    for at, key in enumerate(keys):
        groups.setdefault(first_of(at), []).append(key)
    return list(groups.values())


def _cluster(questions: Sequence[Asked], index: Index) -> Cluster:
    texts = Counter(question.text for question in questions)
    nearest: Counter[str] = Counter()
    for text, count in texts.items():
        understood = index.understand(text)
        if understood.best and understood.sure(understood.best) >= UNSURE / 2:
            nearest[understood.best.entry.id] += count
    shown = Counter(entry_id for question in questions for entry_id in question.entries)
    return Cluster(
        len(questions),
        next(iter(_most_first(nearest)), None),
        {entry_id: shown[entry_id] for entry_id in _most_first(shown)},
        max(question.confidence for question in questions),
        tuple(text for text in _most_first(texts) if text)[:MOST_EXAMPLES],
    )


def _most_first(counted: Counter[str]) -> list[str]:
    return sorted(counted, key=lambda name: (-counted[name], name))


def as_json(found: Insights) -> str:
    """Return everything as one JSON object."""
    return json.dumps(asdict(found), ensure_ascii=False)


def as_lines(found: Insights) -> Iterator[str]:
    """Say it in lines for people."""
    if found.unreadable:
        yield f"Questions that can't be read, since the key that they were written with is missing: {found.unreadable}."
    if not found.unanswered and not found.disliked:
        yield NOTHING.format(days=found.days)
        return
    yield (
        f"In the last {found.days} days: questions without an answer {found.questions_unanswered}, "
        f"answers rated helpful {found.votes_helpful}, not helpful {found.votes_not_helpful}."
    )
    if found.questions_unanswered + found.votes_not_helpful > MOST_READ:
        yield LIMIT
    catalog = load_catalog()
    for title, group, told in (
        ("Without an answer", found.unanswered, _near),
        ("Not helpful", found.disliked, _shown),
    ):
        if group:
            yield ""
            yield title
            for cluster in group:
                yield f"{cluster.size} × {told(cluster, catalog)}"
                yield from (f"    {example}" for example in cluster.examples)


def _near(cluster: Cluster, catalog: Catalog) -> str:
    return f"nearest: {_name(cluster.nearest, catalog)}" if cluster.nearest else "near to nothing"


def _shown(cluster: Cluster, catalog: Catalog) -> str:
    shown = ", ".join(_name(entry_id, catalog) for entry_id in cluster.shown)
    return f"shown: {shown or 'nothing'}; {_near(cluster, catalog)}"


def _name(entry_id: str, catalog: Catalog) -> str:
    entry = catalog.entry(entry_id)
    # What was shown a month ago may be gone from the content.
    return f"{entry.name} ({entry_id})" if entry else entry_id
