"""Slack: payload in, guide called, message out. This file is the routing table, one line a listener."""

from __future__ import annotations

from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncApp

from handlers import (
    ask_follow_up,
    asking,
    audit,
    curating,
    curating_files,
    curating_proposals,
    curating_words,
    declaring,
    freshness,
    home,
    ids,
    installing,
    keeping,
    members,
    personal,
    questions,
    role_card,
    settings,
    verifying,
)
from handlers import asks as asks_
from handlers.asks import Counter
from handlers.courier import Courier
from handlers.curating import Curating
from handlers.directory import offer_topics as offer_declared_topics
from handlers.errors import on_error
from handlers.feedback import CountVote, Ratings, rate
from handlers.keeping import Keeper
from handlers.members import Profiles
from handlers.naming import Naming
from handlers.pace import Monotonic, Pace
from handlers.permissions import Standings
from handlers.replies import Clock, Later
from handlers.verifying import Authors
from knowledge.desk import Desk
from knowledge.guide import Guide
from knowledge.keeping import Keepings
from knowledge.ports import (
    Asks,
    Directory,
    Feedback,
    Freshness,
    People,
    PeopleInBulk,
    TeamEntries,
    Vacancies,
    Workspaces,
)
from knowledge.verifying import Verifications

EVENTS = (
    "app_mention",
    "message",
    "app_home_opened",
    "user_change",
    "app_uninstalled",
    "tokens_revoked",
    "team_access_granted",
    "team_access_revoked",
)
"""The events that have a listener; every other one is acknowledged and dropped."""


def register(
    app: AsyncApp,
    *,
    guide: Guide,
    people: People,
    directory: Directory,
    fresh: Freshness,
    feedback: Feedback,
    workspaces: Workspaces,
    standings: Standings,
    vacancies: Vacancies,
    team: TeamEntries,
    bulk: PeopleInBulk,
    count_vote: CountVote,
    later: Later,
    desk: Desk,
    asks: Asks,
    courier: Courier,
    removed: installing.Removed,
    keepings: Keepings,
    verifications: Verifications,
    now: Clock,
    monotonic: Monotonic,
    support: str = "",
) -> None:
    """Register every listener.

    Commands and questions come first: Bolt tries listeners in order, and prepares for each all that one could ask for.
    """

    async def left(workspace: str, user: str) -> None:
        await desk.left(workspace, user)

    profiles = Profiles(people, left, later, now, monotonic)
    show: dict[str, Any] = {"guide": guide, "now": now}
    every: dict[str, Any] = {**show, "people": people}
    naming = Naming(standings, workspaces, profiles)
    drawn = home.Home(guide, people, directory, profiles, standings, asks, workspaces, vacancies, team, now, support)
    at_home: dict[str, Any] = {"home": drawn}
    administered: dict[str, Any] = {"standings": standings, "workspaces": workspaces}
    ratings = Ratings(feedback, guide, later, now)
    counter = Counter(desk, asks, courier, guide, people, standings, later, now)
    keeper = Keeper(counter, keepings)
    authors = Authors(verifications, team, standings, now)

    curating_ = Curating(guide, team, workspaces, standings, drawn, keepings, people, later, now)

    look_up = partial(role_card.look_up, **every, **administered, ratings=ratings, naming=naming, counter=counter)
    app.command(ids.COMMAND)(look_up)
    pace = Pace(now)
    answer = partial(questions.answer, **every, ratings=ratings, naming=naming, pace=pace, counter=counter)
    app.event("app_mention")(answer)
    app.event("message")(answer)

    app.action(ids.OPEN_ENTRY)(partial(role_card.open_entry, **show, naming=naming))
    app.action(ids.BROWSE)(partial(role_card.open_entry, **show, naming=naming))
    app.action(ids.MORE)(partial(role_card.show_more, **show))
    app.action(ids.COMPARE)(partial(role_card.choose_comparison, guide=guide))
    app.action(ids.COMPARE_WITH)(partial(role_card.compare_with, **show))
    app.action(ids.SHARE)(partial(role_card.share, **show))
    app.action(ids.ASK)(partial(asking.ask_someone, **show, naming=naming))
    app.action(ids.WHY_THESE)(partial(asking.say_why, guide=guide, naming=naming))
    app.action(ids.RATE)(partial(rate, guide=guide, feedback=feedback, count=count_vote, now=now))
    app.action(ids.DECLARE)(partial(declaring.open_from_button, **every, standings=standings))
    change = partial(declaring.open_from_button, **every, standings=standings)
    still_right = partial(freshness.pressed, **every, freshness=fresh, standings=standings, open_form=change)
    app.action(ids.ANSWER_CHECK)(still_right)
    app.action(ids.CONFIRM_ANY)(partial(declaring.confirm, **every, **at_home, profiles=profiles))
    app.action(ids.AS_JSON)(partial(personal.show_as_json, people=people))
    app.action(ids.SECTION_ANY)(partial(home.show_section, **at_home))
    app.action(ids.DIRECTORY_ANY)(partial(home.turn_directory, **at_home))
    app.action(ids.MY_DATA)(partial(home.show_my_data, **at_home))
    app.action(ids.FORGET)(partial(home.forget_pressed, **at_home))

    app.action(ids.PUT)(partial(asks_.open_form, counter=counter))
    app.action(ids.ASKED_ANY)(partial(asks_.pressed, counter=counter))
    app.action(ids.ASKING_ANY)(partial(ask_follow_up.pressed, counter=counter))

    app.action(ids.TEAM_ANY)(partial(curating.pressed, curating=curating_))
    app.action(ids.TEAM_DECIDE)(partial(curating_proposals.decided, curating=curating_))
    app.action(ids.TEAM_IMPORT)(partial(curating_files.open_import, curating=curating_))
    app.action(ids.TEAM_EXPORT_ANY)(partial(curating_files.export, curating=curating_, bulk=bulk))

    app.options(ids.TEAM_MENU)(partial(curating_words.offer, curating=curating_))
    app.action(ids.KEEP_ANY)(partial(keeping.pressed, keeper=keeper))
    app.action(ids.VERIFY_ANY)(partial(verifying.pressed, authors=authors))
    app.options(ids.ROLES_MENU)(partial(declaring.offer_roles, guide=guide))
    among = partial(offer_declared_topics, guide=guide, people=people, standings=standings)
    app.options(ids.DIRECTORY_TOPIC)(among)
    app.options(ids.BLOCK_FOUND)(partial(declaring.offer_topics, guide=guide, people=people))

    app.action(ids.SETTINGS)(partial(settings.open_from_button, **administered))
    app.action(ids.AUDIT)(partial(audit.show_audit, guide=guide, team=team, **administered))
    app.action(ids.AUDIT_EXPORT)(partial(audit.export_audit, guide=guide, team=team, **administered))
    app.action(ids.PERSON)(partial(audit.choose_person, standings=standings))
    app.view(ids.VIEW_SETTINGS)(partial(settings.save, **administered, now=now))
    app.view(ids.VIEW_PERSON)(partial(audit.handle_person, **administered, people=people, now=now))
    app.view(ids.VIEW_ERASE)(partial(audit.erase_person, standings=standings, people=people, now=now))

    app.view(ids.VIEW_DECLARE)(partial(declaring.save, **every, **at_home, profiles=profiles, later=later))

    app.view(ids.VIEW_PUT)(partial(asks_.put, counter=counter))
    app.view(ids.VIEW_PUT_ANYWAY)(partial(asks_.put_anyway, counter=counter))
    app.view(ids.VIEW_VERIFY)(partial(verifying.changed, authors=authors))
    app.view(ids.VIEW_KEEP)(partial(keeping.agreed, keeper=keeper))
    app.view(ids.VIEW_ANSWER)(partial(asks_.answered, counter=counter))
    app.view(ids.VIEW_HAND_OVER)(partial(asks_.handed_over, counter=counter))
    app.view(ids.VIEW_BACK)(partial(ask_follow_up.asked_back, counter=counter))

    app.view(ids.VIEW_TEAM_ENTRY)(partial(curating.save_entry, curating=curating_))
    app.view(ids.VIEW_TEAM_LIST)(partial(curating.searched, curating=curating_))
    app.view(ids.VIEW_TEAM_WORD)(partial(curating_words.save_word, curating=curating_))
    app.view(ids.VIEW_TEAM_IMPORT)(partial(curating_files.imported, curating=curating_, bulk=bulk))

    app.global_shortcut(ids.SHORTCUT_DECLARE)(partial(declaring.open_from_shortcut, **every, standings=standings))
    app.message_shortcut(ids.SHORTCUT_FIND)(partial(asking.find_who_can_help, **show, naming=naming))

    app.event("app_home_opened")(partial(home.opened, **at_home))
    app.event("user_change")(partial(members.profile_changed, people=people, left=left, now=now))
    app.event("app_uninstalled")(partial(installing.uninstalled, removed=removed))
    app.event("tokens_revoked")(partial(installing.tokens_revoked, removed=removed))
    app.event("team_access_granted")(installing.team_access_granted)
    app.event("team_access_revoked")(partial(installing.team_access_revoked, removed=removed))

    app.error(on_error)
