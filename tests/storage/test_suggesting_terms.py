"""What people said against being suggested holds among the nearest too, and until the moment they are named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.answers import Suggestion
from knowledge.guide import Guide, Question
from knowledge.people import Level, Member, Terms
from storage.people import SqlPeople
from storage.team_entries import SqlTeamEntries
from storage.threads import SqlThreads
from tests.conftest import MakeGuide
from tests.storage.conftest import NOW

UNA, ASKER = "U0UNA000001", "U0ASK000001"
NOT_ABOUT_KUBERNETES = Terms("open", None, {"kubernetes": "Kubernetes"})


async def suggested(guide: Guide, question: Question) -> Suggestion:
    answer = await guide.ask(question)
    assert isinstance(answer, Suggestion)
    return answer


@pytest.fixture
def guide(engine: AsyncEngine, people: SqlPeople, make_guide: MakeGuide) -> Guide:
    return make_guide(people, SqlThreads(engine), lambda: NOW, SqlTeamEntries(engine))


async def test_the_nearest_are_not_those_who_are_not_to_be_asked_about_it(guide: Guide, people: SqlPeople) -> None:
    near = guide.catalog.roles["mlops-engineer"].confused_with[0].role
    subject = await guide.subject_of("T1", "kubernetes")
    assert subject is not None
    await people.declare("T1", UNA, {near: "lead"}, {}, NOW, Terms())
    found = await suggested(guide, Question("T1", "who knows kubernetes", "command", ASKER))
    assert [person.user for person in found.nearest] == [UNA]
    assert [one.user for one in await guide.to_ask("T1", subject, ASKER)] == [UNA]

    await people.declare("T1", UNA, {near: "lead"}, {}, NOW, NOT_ABOUT_KUBERNETES)
    found = await suggested(guide, Question("T1", "who knows kubernetes", "command", ASKER))
    assert not found.people
    assert not found.nearest
    assert not await guide.to_ask("T1", subject, ASKER)


class SlackIsSlow:
    """Names may be given, but looking people up takes so long that something else happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        self._meanwhile = meanwhile

    async def __call__(self) -> bool:
        return True

    async def look_up(self, users: Sequence[str]) -> bool:
        await self._meanwhile()
        return False


@pytest.mark.parametrize("how", ["nothing", "hides", "asks to be asked first", "not about it", "leaves", "forget me"])
async def test_what_somebody_says_while_they_are_chosen_counts(guide: Guide, people: SqlPeople, how: str) -> None:
    roles: dict[str, Level] = {"mlops-engineer": "lead"}
    topics = {"kubernetes": "K8s"}
    await people.declare("T1", UNA, roles, topics, NOW, Terms())
    await people.remember("T1", Member(UNA, "Una One"), NOW)

    async def meanwhile() -> None:
        match how:
            case "hides":
                await people.declare("T1", UNA, roles, topics, NOW, Terms("hidden"))
            case "asks to be asked first":
                await people.declare("T1", UNA, roles, topics, NOW, Terms("ask_first"))
            case "not about it":
                await people.declare("T1", UNA, roles, {}, NOW, NOT_ABOUT_KUBERNETES)
            case "leaves":
                await people.remember("T1", Member(UNA, "Una One", availability="deactivated"), NOW)
            case "forget me":
                await people.forget("T1", UNA)

    question = Question("T1", "who knows kubernetes", "command", ASKER, may_name=SlackIsSlow(meanwhile))
    found = await suggested(guide, question)
    assert [person.user for person in (*found.people, *found.nearest)] == ([UNA] if how == "nothing" else [])
