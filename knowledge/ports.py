"""What the guide needs of the world, as protocols; storage/ implements them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from knowledge.answers import Subject
from knowledge.asking import OPEN, Applied, Ask, Change, DueDelivery, Unanswered
from knowledge.asking import State as AskState
from knowledge.directory import At, Page, Shown, Wanted
from knowledge.feedback import Asked, Verdict
from knowledge.freshness import Due
from knowledge.people import Candidate, Declaration, Level, Listed, Member, PassedOver, Terms
from knowledge.people_rows import Became, Planned
from knowledge.team import Alias, Known, State, TeamEntry
from knowledge.workspaces import Recorded, Settings, ToTell


class People(Protocol):
    """Keep what members declared about themselves, by workspace."""

    async def candidates(
        self,
        workspace: str,
        *,
        topics: Sequence[str],
        roles: Sequence[str],
        without: str | None,
        now: datetime,
        about: Sequence[str] = (),
    ) -> Sequence[Candidate]:
        """Return at most 20 suggestible people who declared one of the topics or roles, in policy order.

        Left out are deactivated people, bots, guests, ``without``, and whoever set terms against it: not open to be
        named, not to be asked about one of the topics, or at the weekly cap. ``about``: what the question is about,
        where others are looked for than those who declared that.
        Where the answer to an event is tried again, those whom it named to ``without`` come back, and nobody else.
        """
        ...

    async def unnamed(
        self,
        workspace: str,
        *,
        topics: Sequence[str],
        roles: Sequence[str],
        without: str | None,
        now: datetime,
        about: Sequence[str] = (),
    ) -> Sequence[Candidate]:
        """Return the same of people who may be asked but not named: they set "ask me first", or "hidden"."""
        ...

    async def passed_over(
        self,
        workspace: str,
        *,
        topics: Sequence[str],
        roles: Sequence[str],
        without: str | None,
        now: datetime,
        also_later: bool = False,
    ) -> PassedOver:
        """Count those who declared one of the topics or roles and are not named, by why; hidden people never.

        ``also_later``: those too who may be named, and come after others because they are not there.
        """
        ...

    async def holders(self, workspace: str, role: str) -> Sequence[Candidate]:
        """Return who holds a role, in policy order; may be some seconds old."""
        ...

    async def declared_topics(self, workspace: str, keys: Sequence[str]) -> Sequence[str]:
        """Return those of the topic keys that somebody declared, in the given order."""
        ...

    async def spellings(self, workspace: str, keys: Sequence[str], without: str) -> Mapping[str, str]:
        """Return, for those of the topic keys that a person who can be named declared, the words of one of them.

        ``without`` is a person whose own words don't count.
        """
        ...

    async def topics_from(self, workspace: str, start: str) -> Sequence[str]:
        """Return at most 20 keys that begin so, of topics that people who can be named declared, in order."""
        ...

    async def declaration(self, workspace: str, user: str) -> Declaration:
        """Return what the person declared; an empty declaration where there is nothing."""
        ...

    async def declare(
        self,
        workspace: str,
        user: str,
        roles: Mapping[str, Level],
        topics: Mapping[str, str],
        now: datetime,
        terms: Terms | None = None,
    ) -> None:
        """Replace the person's declaration; ``topics`` maps each topic's key to its words as typed.

        Without ``terms`` those that the person set before stay.
        """
        ...

    async def declares(self, workspace: str, user: str) -> bool:
        """Tell whether the person declared anything."""
        ...

    async def remember(self, workspace: str, member: Member, now: datetime, *, looked_up: bool = True) -> None:
        """Keep the profile of a person who declared something; nothing is kept of anybody else.

        A profile that was not ``looked_up`` leaves who is away, and how fresh that is, as they were.
        """
        ...

    async def profile(self, workspace: str, user: str) -> Member | None:
        """Return the kept profile of a person, if there is one."""
        ...

    async def unchecked(self, workspace: str, users: Sequence[str], since: datetime) -> Sequence[str]:
        """Return those of the users whose profile was not looked up since then."""
        ...

    async def suggested(
        self,
        workspace: str,
        users: Sequence[str],
        now: datetime,
        *,
        about: Sequence[str] = (),
        named: bool = True,
        asker: str | None = None,
    ) -> Mapping[str, int]:
        """Count a suggestion for each of the people, best first, before they are named.

        Whoever was named to the ``asker`` this week already is not counted again. Returns how often each was suggested
        this week, this time included. Whoever is not in it reached the weekly cap since they were chosen, is not to be
        named any more, or not to be asked ``about`` this; they must be left out. The first who is in it goes behind
        their equals. Not ``named``: they are asked, and may keep their names back.
        """
        ...

    async def kept(
        self, workspace: str, user: str, *, for_another: bool = False
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return everything that is kept about the person, by what it is, as JSON can hold it.

        ``for_another``: without what would tell somebody else who stands behind a question or an answer without a name.
        """
        ...

    async def forget(
        self,
        workspace: str,
        user: str,
        *,
        answering: tuple[str, str] | None = None,
        record: Recorded | None = None,
    ) -> int:
        """Delete every row of the person and return how many there were; only a keyed hash is left.

        No import brings the person back; whoever declares something again lifts that. ``record`` says who else does
        it: it goes into the audit log at once, with the hash and the number of rows, or nothing is deleted.

        ``answering`` is the channel and time of the message that asks for it: its answer is still owed.
        """
        ...

    async def forget_workspace(self, workspace: str) -> int:
        """Delete every row of the workspace and return how many there were."""
        ...


class Directory(Protocol):
    """Read who declared what, by name: only who lets everybody see their name, and may be suggested, stands in it."""

    async def page(
        self, workspace: str, wanted: Wanted, size: int, at: At | None = None, *, back: bool = False
    ) -> Page:
        """Return the entries after ``at``, or those right before it; from the start where nobody is left there."""
        ...

    async def counts(self, workspace: str, roles: Sequence[str]) -> Mapping[str, int]:
        """Count who stands in it for each of the roles, and under "" in all; what is more than a thousand is 1,001."""
        ...

    async def shown(self, workspace: str, user: str) -> Shown:
        """Return what others see of a person."""
        ...


class PeopleInBulk(Protocol):
    """Write and read the declarations of a whole workspace."""

    async def planned(self, workspace: str, listed: Sequence[Listed]) -> Sequence[Planned]:
        """Say for each of these people what ``declare_many`` would do, and do nothing."""
        ...

    async def declare_many(
        self, workspace: str, listed: Sequence[Listed], now: datetime, *, saw: Sequence[str] | None = None
    ) -> Sequence[Became]:
        """Write the declarations of these people, all or none, and return what became of each.

        Nothing is changed of anybody who declared something themself, and nobody comes back who asked to be forgotten.
        Where marks of what was seen are given, and something else would be replaced by now, nothing is written.
        """
        ...

    def everybody(self, workspace: str) -> AsyncIterator[Listed]:
        """Give everybody who declared something, in the order of their ids."""
        ...


class Freshness(Protocol):
    """Keep when people are asked whether what they declared is still right; of several processes one takes a turn."""

    async def due(self, now: datetime, most: int) -> Sequence[Due]:
        """Return who is to be written to by now, of all workspaces, whose turn came first."""
        ...

    async def put_off(self, later: Sequence[tuple[Due, datetime]], now: datetime) -> None:
        """Move turns that have come to other times, where nobody has taken them meanwhile."""
        ...

    async def take_minute(self, workspace: str, now: datetime, mine: datetime | None = None) -> datetime | None:
        """Take the next minute of messages to a workspace; returns when it ends, None where another process has one.

        ``mine`` is the end of the minute that the process has itself: it begins anew.
        """
        ...

    async def claim(self, due: Due, now: datetime) -> datetime | None:
        """Take a person's turn; returns when the next one is, or None where another process took it."""
        ...

    async def asked(self, due: Due, claimed: datetime) -> None:
        """Count the question, unless it was answered in the moment since."""
        ...

    async def not_asked(self, due: Due, claimed: datetime, until: datetime) -> None:
        """Give a turn back that came to nothing, until then."""
        ...

    async def fade(self, due: Due, claimed: datetime) -> bool:
        """Take the declaration out of suggestions; False where the person answered in the moment since."""
        ...

    async def told(self, due: Due, claimed: datetime) -> None:
        """Note that the person knows that it has faded: there is nothing more to ask until they come back."""
        ...

    async def confirm(self, workspace: str, user: str, now: datetime) -> bool:
        """Note that all is still right, which brings what had faded back; False where nothing is declared."""
        ...

    async def responded(self, workspace: str, user: str) -> bool:
        """Note that the person is there, though nothing is confirmed yet; False where nothing is declared."""
        ...

    async def stop(self, workspace: str, user: str) -> bool:
        """Never ask the person again; False where nothing is declared."""
        ...


class ToLookUp(Protocol):
    """Keep whose profile is to be looked up though nobody asks; of several processes one takes each turn."""

    async def workspaces(self, now: datetime) -> Sequence[str]:
        """Return the workspaces in which somebody's turn has come."""
        ...

    async def take_minute(self, workspace: str, now: datetime) -> datetime | None:
        """Take the next minute of look-ups; returns when it ends, None where another process has it."""
        ...

    async def claim(self, workspace: str, now: datetime, until: datetime) -> str | None:
        """Take the turn of who waits longest; None where nobody's has come.

        It comes again at ``until``, unless a profile is kept by then.
        """
        ...


class Asks(Protocol):
    """Keep questions that are put to people; a transition is made wholly or not at all."""

    def seal(self, workspace: str, ask_id: str) -> str:
        """Return a token for the asker's buttons, which nobody else can make."""
        ...

    def opened(self, workspace: str, sealed: str) -> str | None:
        """Return the question of a token; None for what is no token of the workspace."""
        ...

    async def create(self, ask: Ask, now: datetime) -> Applied:
        """Write a new question, with whom it names, counted as asked this week; "full" where their cap is reached."""
        ...

    async def get(self, workspace: str, ask_id: str) -> Ask | None:
        """Return a question as it is now."""
        ...

    async def apply(self, ask: Ask, change: Change, now: datetime) -> Applied:
        """Make a transition, if the question is still as it was when that was decided."""
        ...

    async def due(self, now: datetime, most: int) -> Sequence[Ask]:
        """Claim questions in which something happens by itself by now; of several processes one gets each."""
        ...

    async def erase(self, ask: Ask) -> None:
        """Delete a question with everything about it, if nothing happened to it meanwhile."""
        ...

    async def at_message(self, workspace: str, channel: str, ts: str) -> tuple[str, str] | None:
        """Return the question that the bot's message puts to somebody, and to whom."""
        ...

    async def of_asker(self, workspace: str, user: str, states: Collection[AskState] = OPEN) -> Sequence[Ask]:
        """Return the newest questions of a person in these states, as far as it is still known that they are theirs."""
        ...

    async def of_person(self, workspace: str, user: str) -> Sequence[Ask]:
        """Return the questions that are with a person now."""
        ...

    async def unanswered(self, workspace: str) -> Sequence[Unanswered]:
        """Count the questions without an answer by what they are about, most first."""
        ...


class Deliveries(Protocol):
    """Keep what is to be written about questions until it is, at a pace that Slack allows."""

    async def waiting(self, now: datetime) -> Sequence[str]:
        """Return the workspaces in which something is to be written by now."""
        ...

    async def claim(self, workspace: str, now: datetime, ask_id: str | None = None) -> Sequence[DueDelivery]:
        """Claim what may be written within the next seconds; of one question alone where it is named."""
        ...

    async def sent(
        self,
        due: DueDelivery,
        now: datetime,
        *,
        place: tuple[str, str] | None = None,
        patience: datetime | None = None,
        version: int | None = None,
    ) -> None:
        """Note that it is written, and where.

        ``patience``: until when the person is waited for. ``version``: the question's as it was drawn; where it is
        another one by now, the message is wanted anew.
        """
        ...

    async def rest(self, workspace: str, until: datetime) -> None:
        """Put off until then whatever is to be written in a workspace before."""
        ...

    async def put_off(self, due: DueDelivery, until: datetime, *, counted: bool) -> None:
        """Give a delivery back until then; ``counted``: as an attempt."""
        ...


class Threads(Protocol):
    """Keep what a conversation is about, so that a follow-up needs no message history."""

    async def subject(self, workspace: str, channel: str, thread: str, since: datetime) -> Subject | None:
        """Return the subject of the conversation, if it was touched since then."""
        ...

    async def remember(
        self, workspace: str, channel: str, thread: str, user: str, subject: Subject, now: datetime
    ) -> None:
        """Set the subject of the conversation, as ``user`` asked last."""
        ...

    async def secret(self, workspace: str) -> bytes:
        """Return the workspace's own secret, by which conversations mark who was named."""
        ...


class Feedback(Protocol):
    """Keep questions that had no answer or a poor one, so that the content can grow; never who asked."""

    def seal(self, workspace: str, asked: Asked) -> str:
        """Return the question as a token that only this side opens, for this workspace; nothing is kept."""
        ...

    def opened(self, workspace: str, sealed: str) -> Asked | None:
        """Return what was sealed; None for what is no token of the workspace, or was sealed with a key that is gone."""
        ...

    async def unanswered(self, workspace: str, asked: Asked, now: datetime) -> None:
        """Keep a question that had no answer."""
        ...

    async def vote(self, workspace: str, asked: Asked, verdict: Verdict, now: datetime) -> bool:
        """Keep a vote on an answer, with the question only where it did not help; the last vote stands.

        Returns False where that very vote is kept already.
        """
        ...


class Workspaces(Protocol):
    """Keep the settings of workspaces, and the audit log of what was done in them."""

    async def settings(self, workspace: str) -> Settings:
        """Return the settings of a workspace; may be some seconds old."""
        ...

    async def save(self, workspace: str, settings: Settings, by: str, now: datetime) -> None:
        """Replace the settings, and record who changed what; of two who save at once the last wins."""
        ...

    async def record(self, workspace: str, entry: Recorded) -> None:
        """Add an entry to the audit log."""
        ...

    async def record_hashed(self, workspace: str, entry: Recorded) -> None:
        """Add an entry of which only the keyed hash of the person that it is about is kept."""
        ...

    async def recorded(self, workspace: str, most: int, skip: int = 0) -> Sequence[Recorded]:
        """Return the last entries of the audit log, newest first; ``skip`` are the newest that are passed over."""
        ...


class TeamKnowledge(Protocol):
    """Read what workspaces know beyond the bundled entries."""

    async def known(self, workspace: str, *, now: bool = False) -> Known:
        """Return it, the same object as long as nothing changed; some seconds old unless it is wanted as of now."""
        ...


class TeamEntries(TeamKnowledge, Protocol):
    """Keep what workspaces know beyond the bundled entries; other processes notice a change within seconds."""

    async def save(
        self, workspace: str, entries: Sequence[TeamEntry], aliases: Sequence[Alias] = (), *, on: str | None = None
    ) -> bool:
        """Write entries and aliases, new ones and changed ones, all or none.

        ``on``: the version that they were made on; False, with nothing written, where the workspace has another one.
        """
        ...

    async def change(
        self, workspace: str, entry_id: str, was: State, become: Callable[[TeamEntry], TeamEntry], author: str = ""
    ) -> TeamEntry | None:
        """Change an entry as it stands now, if it is in that state; None where it is not, or not there.

        ``author``: who becomes its author by this; not whoever was forgotten since they wrote it.
        """
        ...

    async def remove_alias(self, workspace: str, name: str) -> bool:
        """Delete a team's word for a bundled entry; False where there is no such word."""
        ...


class Vacancies(Protocol):
    """Keep which roles nobody is suggested for any more, and which curators are to be told; one process tells each."""

    async def orphaned(self, workspace: str, since: datetime | None = None) -> Sequence[str]:
        """Return the roles that somebody dropped out of, since then, and that nobody is suggested for."""
        ...

    async def notice(self, now: datetime, most: int) -> None:
        """See which roles have nobody left of those that somebody dropped out of, and put curators down to be told."""
        ...

    async def to_tell(self, now: datetime, most: int) -> Sequence[ToTell]:
        """Return the curators who are to be told by now, of all workspaces."""
        ...

    async def claim(self, one: ToTell, now: datetime) -> datetime | None:
        """Take it on to tell one of them; returns what the claim is known by, None where another process took it."""
        ...

    async def put_off(self, one: ToTell, claimed: datetime, until: datetime) -> None:
        """Leave it for later."""
        ...

    async def told(self, one: ToTell, claimed: datetime, now: datetime) -> None:
        """Note that the curator knows what was so by now; what came since is told later."""
        ...
