"""Late days: times as people and systems write them, the policy worked out by hand, free days over a whole course."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.course.late import (
    FILE_TIME,
    Lateness,
    Policy,
    lateness,
    read_policy,
    with_free_days,
    write_days,
)
from minigrad.course.roster import HandedIn
from minigrad.course.times import read_hand_ins, read_times
from minigrad.errors import DataError

BERLIN = ZoneInfo("Europe/Berlin")
DUE = datetime(2026, 10, 20, 23, 59, tzinfo=BERLIN)
MOMENT = datetime(2026, 9, 23, 21, 0, tzinfo=BERLIN)

WRITTEN = [
    "2026-09-23 21:00", "2026-09-23T21:00:00", "2026-09-23T21:00:00+02:00", "2026-09-23T19:00:00Z", "23.09.2026 21:00",
    "23.9.2026, 21:00", "Wednesday, September 23, 2026, 9:00 PM", "Wednesday, 23 September 2026, 9:00 PM",
    "Wednesday, 23 September 2026, 21:00", "Mittwoch, 23. September 2026, 21:00", "23 Sep 2026 at 21:00",
    "Sep 23, 2026 9pm", "23/09/2026 21:00", "9/23/2026 9:00 PM", "23. September 2026 um 21:00 Uhr",
]  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_a_time_is_read_however_it_is_written(text):
    assert read_times([text], BERLIN) == [MOMENT]


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-09-23", "September 2026", "21:00", "Monday 21:00", "03/04/2026 21:00", "31.02.2026 21:00",
             "2026-13-01 10:00", "23 September, 21:00", "99999999999999999999"],
)  # fmt: skip
def test_what_is_no_day_with_a_time_or_could_be_two_is_not_guessed(text):
    assert read_times([text], BERLIN) is None


def test_the_other_rows_tell_whether_the_day_comes_first():
    march, april = datetime(2026, 3, 4, 21, tzinfo=BERLIN), datetime(2026, 4, 3, 21, tzinfo=BERLIN)
    first, second = datetime(2026, 4, 13, 9, tzinfo=BERLIN), datetime(2026, 12, 31, 9, tzinfo=BERLIN)
    assert read_times(["03/04/2026 21:00", "13/04/2026 9:00"], BERLIN) == [april, first]
    assert read_times(["03/04/2026 21:00", "12/31/2026 9:00"], BERLIN) == [march, second]
    assert read_times(["13/04/2026 9:00", "12/31/2026 9:00"], BERLIN) is None


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))
@settings(max_examples=80, deadline=None)
def test_iso_and_german_times_are_never_turned_around(moment):
    moment = moment.replace(second=0, microsecond=0)
    wanted = [moment.replace(tzinfo=BERLIN)]
    for form in ("%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%A, %d %B %Y, %I:%M %p", "%A, %B %d, %Y, %I:%M %p"):
        assert read_times([moment.strftime(form)], BERLIN) == wanted


def policy(tmp_path, **settings):
    return Policy(tmp_path / "late.toml", DUE, BERLIN, **settings)


@pytest.mark.parametrize(
    ("minutes", "grace", "days"),
    [
        (-1, 0, 0),
        (0, 0, 0),
        (1, 0, 1),
        (15, 15, 0),
        (16, 15, 1),
        (1440, 0, 1),
        (1441, 0, 2),
        (4320, 15, 3),
        (4321, 15, 4),
    ],
)
def test_a_day_begun_is_a_day_and_grace_is_no_extension(tmp_path, minutes, grace, days):
    handed_in = DUE + timedelta(minutes=minutes)
    assert policy(tmp_path, grace_minutes=grace).days_late(handed_in, DUE) == days


@pytest.mark.parametrize(
    ("percent", "most", "of", "days", "score", "penalty"),
    [
        (10, 100, "score", 1, 8, 0.8),
        (10, 100, "points", 1, 8, 2.1),  # of 21
        (10, 50, "score", 7, 8, 4.0),
        (25, 100, "points", 3, 8, 8.0),  # never below 0
        (100, 100, "score", 1, 8, 8.0),
        (0, 100, "score", 9, 8, 0.0),
        (10, 100, "score", 0, 8, 0.0),
    ],
)
def test_what_late_days_cost(tmp_path, percent, most, of, days, score, penalty):
    told = policy(tmp_path, percent_per_day=percent, max_percent=most, of=of)
    late = Lateness("", days=days, percent=told.percent(days), of=of)
    assert late.penalty(score, 21) == pytest.approx(penalty)


def file_of(tmp_path, moment=DUE):
    path = tmp_path / "ada.py"
    path.write_text("x = 1")
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path


DAY = timedelta(days=1)
SOURCES = [  # the file's name, the table's time, the file's time; days, where known from, whether a note says more
    ("ada", None, DUE + DAY, 1, FILE_TIME, False),
    ("ada", None, DUE - DAY, 0, FILE_TIME, False),
    ("ada", DUE + 2 * DAY, DUE + 9 * DAY, 2, "the table of times", False),
    ("ada", "not in it", DUE + 9 * DAY, 0, "", True),
    ("ada_1_2_a1", None, DUE + 9 * DAY, 0, "Canvas's mark: in time", False),
    ("ada_LATE_1_2_a1", None, DUE + 3 * DAY, 3, f"{FILE_TIME}, and Canvas's mark LATE", False),
    ("ada_LATE_1_2_a1", None, DUE - DAY, 0, "Canvas's mark: late", True),
    ("ada_LATE_1_2_a1", DUE + DAY, DUE - DAY, 1, "the table of times", False),
    ("ada_1_2_a1", DUE + DAY, DUE, 1, "the table of times", False),
]


@pytest.mark.parametrize(("name", "time", "of_file", "days", "source", "noted"), SOURCES)
def test_where_the_time_comes_from_is_said(tmp_path, name, time, of_file, days, source, noted):
    times = None if time is None else {} if isinstance(time, str) else {"ada": time}
    path = file_of(tmp_path, of_file)
    late = lateness(policy(tmp_path, percent_per_day=10), "ada", [HandedIn.of(name)], times, path)
    assert (late.days, late.source, late.percent) == (days, source, 10 * days)
    assert bool(late.note) == noted


def test_whoever_handed_in_nothing_is_not_late(tmp_path):
    assert lateness(policy(tmp_path), "ada", [], {}, None) == Lateness("2026-10-20 23:59")


TOML = """
zone = "Europe/Berlin"
[deadlines]
A1 = 2026-10-20T23:59:00
a2_walk = "2026-11-03 12:00"
[policy]
percent_per_day = 10
grace_minutes = 15
free_days = 3
max_percent = 50
of = "points"
[[extensions]]
student = "Ada"
assignment = "a1"
until = 2026-10-27T23:59:00
reason = "ill"
"""


def test_the_policy_is_read_for_one_assignment(tmp_path):
    (tmp_path / "late.toml").write_text(TOML)
    told = read_policy(tmp_path / "late.toml", "a1_rules", str.lower)
    assert (told.deadline, told.percent_per_day, told.grace_minutes) == (DUE, 10, 15)
    assert (told.free_days, told.max_percent, told.of) == (3, 50, "points")
    assert told.others == {"a2_walk": datetime(2026, 11, 3, 12, tzinfo=BERLIN)}
    late = lateness(told, "ada", [], {"ada": DUE + 8 * DAY}, file_of(tmp_path))
    assert (late.days, late.deadline) == (1, "2026-10-27 23:59")
    assert "ill" in late.extension
    assert read_policy(tmp_path / "late.toml", "a2_walk").extensions == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("percent_per_day", "percent_a_day", "'percent_per_day' meant"),
        ("[policy]", "[polices]", "'policy' meant"),
        ("= 10\n", "= 101\n", "from 0 to 100"),
        ("= 10\n", '= "10"\n', "is to be a number"),
        ("= 10\n", "= true\n", "is to be a number"),
        ("= 15\n", "= -1\n", "0 or more"),
        ("free_days = 3", "free_days = 1.5", "whole days"),
        ('"points"', '"percent"', "'score' or of all 'points'"),
        ("Europe/Berlin", "Europe/Bonn", "no time zone"),
        ("2026-10-20T23:59:00", "2026-10-20", "a time of day"),
        ('"2026-11-03 12:00"', '"03/11/2026 12:00"', "03/11/2026"),
        ("A1 =", "A9 =", "no deadline for a1_rules"),
        ('reason = "ill"', "", "an extension has"),
        ('reason = "ill"', 'reason = "ill"\nbecause = 1', "because"),
        ("free_days = 3", "free_days = ", "is no TOML"),
    ],
)
def test_what_a_policy_cannot_mean_is_an_error_that_says_so(tmp_path, old, new, said):
    assert TOML.count(old) == 1
    (tmp_path / "late.toml").write_text(TOML.replace(old, new))
    with pytest.raises(DataError, match="MG-957") as caught:
        read_policy(tmp_path / "late.toml", "a1_rules")
    assert said in str(caught.value)


MOODLE = (
    'Identifier,"Full name","Email address",Status,Grade,"Last modified (submission)"\n'
    '"Participant 77","Ada L",ada@x.y,Submitted,,"Tuesday, 20 October 2026, 11:58 PM"\n'
    '"Participant 78","Bob M",bob@x.y,"No submission",,-\n'
    '"Participant 79","Eve N",eve@x.y,Submitted,,"Wednesday, 21 October 2026, 12:05 AM"\n'
)
CANVAS = "student;submitted_at\nada;2026-10-20T21:58:00Z\nbob;\neve;2026-10-20T22:05:00Z\n"


@pytest.mark.parametrize("text", [MOODLE, CANVAS])
def test_moodles_worksheet_and_plain_tables_say_when(tmp_path, text):
    (tmp_path / "times.csv").write_text(text)
    known = {"ada@x.y": "ada", "ada": "ada", "bob": "bob"}.get
    found, notes = read_hand_ins(tmp_path / "times.csv", BERLIN, known)
    assert found == {"ada": datetime(2026, 10, 20, 23, 58, tzinfo=BERLIN)}
    assert len(notes) == 1
    assert "line 4" in notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,when\nada,2026-10-20 10:00\n", "no column of times"),
        ("seat,time\n12,2026-10-20 10:00\n", "no column of students"),
        ("name,time\nada,2026-10-20\n", "line 2: '2026-10-20' is no day with a time"),
        ("name,time\nada,03/04/2026 10:00\n", "could be two days"),
        ("name,time\nada,2026-10-20 10:00\nADA,2026-10-21 10:00\n", "lines 2 and 3 give ada two times"),
    ],
)
def test_times_that_decide_wrongly_are_errors(tmp_path, text, said):
    (tmp_path / "times.csv").write_text(text)
    with pytest.raises(DataError, match="MG-957") as caught:
        read_hand_ins(tmp_path / "times.csv", BERLIN, str.lower)
    assert said in str(caught.value)


def test_free_days_are_used_over_the_whole_course_the_earliest_deadline_first(tmp_path):
    others = {"A2": DUE + 14 * DAY}
    first = policy(tmp_path, percent_per_day=10, free_days=3, others=others)
    second = Policy(tmp_path / "late.toml", DUE + 14 * DAY, BERLIN, 10, free_days=3, others={"A1": DUE})
    late = {
        "ada": Lateness("", days=2, percent=20),
        "bob": Lateness("", days=4, percent=40),
        "eve": Lateness(""),
    }
    made, notes = with_free_days(first, "a1_rules", late, tmp_path / "days")
    assert {key: (each.free, each.percent) for key, each in made.items()} == {
        "ada": (2, 0),
        "bob": (3, 10),
        "eve": (0, 0),
    }
    assert notes == []
    write_days(tmp_path / "days", "a1_rules", late)
    again = {key: Lateness("", days=2, percent=20) for key in late}
    made, notes = with_free_days(second, "a2_walk", again, tmp_path / "days")
    assert {key: (each.free, each.percent) for key, each in made.items()} == {
        "ada": (1, 10),
        "bob": (0, 20),
        "eve": (2, 0),
    }
    write_days(tmp_path / "days", "a2_walk", again)
    made, notes = with_free_days(first, "a1_rules", late, tmp_path / "days")
    assert made["ada"].free == 2  # the first deadline's come first, whichever is graded last
    assert "grade A2 again" in notes[0]


def test_days_are_days_of_the_calendar_where_the_clock_is_changed(tmp_path):
    due = datetime(2026, 10, 24, 23, 59, tzinfo=BERLIN)  # the night after has 25 hours
    told = policy(tmp_path)
    for zone in (BERLIN, ZoneInfo("UTC"), ZoneInfo("America/New_York")):
        assert told.days_late(datetime(2026, 10, 25, 23, 59, tzinfo=BERLIN).astimezone(zone), due) == 1
        assert told.days_late(datetime(2026, 10, 26, 0, 0, tzinfo=BERLIN).astimezone(zone), due) == 2


def test_the_machines_own_zone_has_its_summer_time(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        (tmp_path / "late.toml").write_text(
            "[deadlines]\nA1 = 2026-07-20T12:00:00\nA2 = 2026-12-20T12:00:00\n"
        )
        for name, hour in (("a1_rules", 10), ("a2_walk", 11)):
            deadline = read_policy(tmp_path / "late.toml", name).deadline
            assert deadline.astimezone(UTC).hour == hour
    finally:
        monkeypatch.undo()
        time.tzset()
