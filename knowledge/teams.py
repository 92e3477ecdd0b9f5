"""The indexes of what workspaces know, built when it changes, and kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial

from knowledge.answers import Subject
from knowledge.matching import Matcher
from knowledge.ports import TeamKnowledge
from knowledge.team import NOTHING, Known, TeamEntry
from knowledge.team_index import Team

MOST_TEAMS, MOST_ENTRIES = 1_000, 100_000
"""Workspaces, and entries of all of them, whose index is kept; the one not asked for longest makes room."""
LARGE = 200
"""From so many entries on an index is built in a thread: it takes some tenths of a second for thousands."""


class Teams:
    """Give the index of each workspace; that of one without entries of its own is one and the same."""

    def __init__(self, knowledge: TeamKnowledge, matcher: Matcher) -> None:
        self._knowledge = knowledge
        self._matcher = matcher
        self._empty = Team(NOTHING, matcher)
        self._teams: OrderedDict[str, Team] = OrderedDict()
        self._building: dict[str, asyncio.Task[Team]] = {}

    async def of(self, workspace: str) -> Team:
        """Return the index of what the workspace knows; while a large one is built anew, the one before it."""
        known = await self._knowledge.known(workspace)
        if not known.entries and not known.aliases:
            self._teams.pop(workspace, None)
            return self._empty
        before = self._teams.get(workspace)
        if before is not None and before.known is known:
            self._teams.move_to_end(workspace)
            return before
        if len(known.entries) < LARGE:
            return self._keep(workspace, Team(known, self._matcher, before))
        task = self._building.get(workspace)
        if task is None:
            task = asyncio.create_task(self._build(workspace, known, before))
            self._building[workspace] = task
            task.add_done_callback(lambda _: self._building.pop(workspace, None))
        return before if before is not None else await asyncio.shield(task)

    async def _build(self, workspace: str, known: Known, before: Team | None) -> Team:
        return self._keep(workspace, await asyncio.to_thread(partial(Team, known, self._matcher, before)))

    def _keep(self, workspace: str, team: Team) -> Team:
        self._teams[workspace] = team
        self._teams.move_to_end(workspace)
        held = sum(len(one.known.entries) for one in self._teams.values())
        while len(self._teams) > 1 and (len(self._teams) > MOST_TEAMS or held > MOST_ENTRIES):
            held -= len(self._teams.popitem(last=False)[1].known.entries)
        return team


def team_subject(entry: TeamEntry) -> Subject:
    """Return what an entry of a workspace is about."""
    return Subject(roles=entry.roles, topics=(entry.id,))
