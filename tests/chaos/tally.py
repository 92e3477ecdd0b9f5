"""What became of every message: answered once, twice with a reason, twice without, or never."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .processes import Kill
from .standin import APOLOGY, Key, Post
from .traffic import Mention

IN_FLIGHT = 0.25
"""A post counts as in flight at a kill while its answer is under way, and for so many seconds after it: the bot has
then to read the answer and to mark the event as done."""


@dataclass
class Tally:
    """Hold what became of the messages of a run."""

    messages: int = 0
    once: int = 0
    lost: list[Mention] = field(default_factory=list)
    apologies: int = 0
    """Messages without an answer in whose thread the bot apologised."""
    at_kills: Counter[Kill] = field(default_factory=Counter)
    """Answers that came again because their first post was in flight at a kill."""
    after_cuts: int = 0
    """Answers that came again because the connection was lost after Slack had taken the post."""
    unexplained: list[tuple[Post, Post, Kill | None]] = field(default_factory=list)
    """Answers that came again for no such reason: a post, the next one, and when its process was killed."""
    strays: list[Post] = field(default_factory=list)
    """Posts that answer nothing that was asked."""
    waits: list[float] = field(default_factory=list)
    """Seconds from the acknowledgement to the first answer."""

    @property
    def good(self) -> bool:
        """Tell whether nothing was lost, and nothing came twice without a reason."""
        return not self.lost and not self.unexplained and not self.strays

    @property
    def twice(self) -> int:
        """Return how many answers came again for a reason."""
        return self.at_kills.total() + self.after_cuts

    def wait(self, share: float) -> float:
        """Return the seconds within which this share of the messages was answered."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def count(mentions: Sequence[Mention], posts: Sequence[Post], kills: Sequence[Kill] = ()) -> Tally:
    """Count the answers to each message."""
    found: dict[Key, list[Post]] = defaultdict(list)
    for post in posts:
        found[post.key].append(post)
    apologies = Counter(post.key[:2] for post in posts if post.key[2] == APOLOGY)
    by_process = {kill.process: kill for kill in kills}
    tally = Tally(messages=len(mentions))
    for mention in mentions:
        answers = sorted(found.pop(mention.key, ()), key=lambda post: post.taken)
        if not answers:
            if apologies[mention.key[:2]]:
                apologies[mention.key[:2]] -= 1
                tally.apologies += 1
            else:
                tally.lost.append(mention)
            continue
        tally.once += len(answers) == 1
        tally.waits.append(max(0.0, answers[0].taken - (mention.taken or answers[0].taken)))
        for first, again in pairwise(answers):
            kill = by_process.get(first.process)
            if first.fault == "cut after":
                tally.after_cuts += 1
            elif kill is not None and _in_flight(first, kill):
                tally.at_kills[kill] += 1
            else:
                tally.unexplained.append((first, again, kill))
    tally.strays = [post for posts in found.values() for post in posts if post.key[2] != APOLOGY]
    return tally


def _in_flight(post: Post, kill: Kill) -> bool:
    # What the process had sent may arrive a moment after its end.
    return post.answered is None or kill.at - post.answered < IN_FLIGHT
