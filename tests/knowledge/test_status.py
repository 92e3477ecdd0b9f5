"""Whether what somebody wrote as their status means that they are out of office."""

from __future__ import annotations

import pytest

from knowledge.status import said_by

OUT = """
OOO
OOO!
ooo today
OOO: back Monday
OOO - no laptop, not reading Slack
OOO (no meetings please)
OOO until tomorrow
OOO today and tomorrow
O.O.O. till Thursday
Out-of-office
Out of Office until 3 June
I'm out of the office this week
🌴 out of office 🌴
Annual leave
annual leave, back on the 14th
On PTO
PTO :palm_tree: back Tue
Parental leave
Maternity leave → Lena covers
On leave
on sick leave
sick
Out sick
Off sick, sorry!
Sick day
Kid is sick, back tomorrow
On vacation
Vacationing
VACATION!!! see you in two weeks
vacation mode: on
on holiday 🏖
Bank holiday
On vacation in Greece
Vacation - 2 weeks
Back on Monday from vacation
Day off
Off today
Out until Wednesday
Urlaub
im Urlaub
Bis Montag im Urlaub
Urlaub bis 12.8., Vertretung: Jana
krank
Noch im Urlaub
Urlaub in Spanien
Krankgeschrieben bis Freitag
in Elternzeit
Heute abwesend
Nicht im Büro
congés
En congé jusqu’au 15
en vacances 😎
Arrêt maladie
Vacances dans les Alpes
Congé parental
absente du bureau
vacaciones
Vacaciones en Grecia
De vacaciones hasta el lunes
De baja por enfermedad
Fuera de la oficina
férias
Em ferias até sexta
De licença médica
Fora do escritório
休暇中
本日お休みです
有給休暇、月曜に戻ります
育休中
छुट्टी पर
छुट्टी पर हूँ, सोमवार को वापस
आज अवकाश पर
"""

NOT_OUT = """
Planning the holiday party
holiday party committee
Happy holidays!
Working over the holidays
Returned from vacation
Vacation in 3 weeks
Rolling out today: v2
sick of meetings
Sick of waiting for CI
No vacation until June
Back from vacation
back from PTO, digging through mail
Just back from parental leave, be gentle
holiday tomorrow?
vacation yet?
OOO tomorrow
OOO next week
Tomorrow OOO
On PTO from Monday
Vacation starts on Friday
3 days until vacation
Counting the days to my holiday
Dreaming of vacation
I need a vacation
Not on vacation
not OOO, just slow
Never sick
Covering for Ann's parental leave
Writing the PTO policy
vacation planning
Ask me about holiday requests
Fixing the out of office bot
Booking summer vacation
In a meeting
Commuting
Working remotely
Working from the beach house
wfh
Heads down until 3pm
Out of coffee
out for lunch
Off to the gym
Please leave a message
Cooool stuff
Photo booth
Optometry data
kein Urlaub bis Juni
Zurück aus dem Urlaub
Urlaub ab Montag
Bald Urlaub!
Urlaub in 2 Wochen
Urlaubsplanung
Noch 3 Tage bis zum Urlaub
Nicht krank, nur heiser
pas en vacances
De retour de congés
Bientôt en vacances
congés dans 2 semaines
Planning des congés
sin vacaciones hasta julio
De vuelta de vacaciones
vacaciones mañana
sem férias este ano
De volta das férias
Férias na próxima semana
休暇明け
休暇前
昼休み
明日から休暇
来週お休みです
休暇の予定を立てています
छुट्टी पर नहीं
कल से छुट्टी
छुट्टी से वापस
"""


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize("text", lines(OUT))
def test_a_status_that_says_out_of_office(text: str) -> None:
    assert said_by(text, "") == "ooo"
    assert said_by(text, ":speech_balloon:") == "ooo"


@pytest.mark.parametrize("text", lines(NOT_OUT))
def test_a_status_that_only_mentions_such_words_does_not(text: str) -> None:
    assert said_by(text, "") == "active"
    assert said_by(text, ":speech_balloon:") == "active"


OUT_BY_EMOJI = [
    (":palm_tree:", ""),
    (":palm_tree:", "Vacationing"),
    (":palm_tree:", "See you in two weeks, no laptop with me"),
    (":beach_with_umbrella:", ""),
    (":beach_with_umbrella:", "Lisbon"),
    (":face_with_thermometer:", ""),
    (":face_with_thermometer:", "Out sick"),
    (":face_with_thermometer:", "ugh"),
    (":desert_island:", "🎉"),
    ("", ":palm_tree:"),
]
IN_BY_EMOJI = [
    ("", ""),
    (":spiral_calendar_pad:", "In a meeting"),
    (":house_with_garden:", "Working remotely"),
    (":bus:", "Commuting"),
    (":bus:", ""),
    (":house_with_garden:", ""),
    (":palm_tree:", "Back from vacation"),
    (":palm_tree:", "Holiday tomorrow?"),
    (":palm_tree:", "Working remotely from Bali"),
    (":tada:", "Planning the holiday party"),
    (":coffee:", "Sick of Mondays"),
]


@pytest.mark.parametrize(("emoji", "text"), OUT_BY_EMOJI)
def test_an_emoji_that_says_out_of_office(emoji: str, text: str) -> None:
    assert said_by(text, emoji) == "ooo"


@pytest.mark.parametrize(("emoji", "text"), IN_BY_EMOJI)
def test_an_emoji_that_does_not(emoji: str, text: str) -> None:
    assert said_by(text, emoji) == "active"


@pytest.mark.parametrize("text", ["away", "AFK", "brb!", "Back later", "Away from keyboard"])
def test_a_status_that_says_away(text: str) -> None:
    assert said_by(text, "") == "away"


@pytest.mark.parametrize("text", ["not away", "far-away galaxies reading group?"])
def test_a_status_that_does_not_say_away(text: str) -> None:
    assert said_by(text, "") == "active"
