"""Calls of browsers and a program, in one room."""

from robot import Robot


def test_two_pages_and_a_program_are_in_one_call_and_everybody_sees_everybody(party, room):
    with Robot(room) as robot:
        ada, bob = party("Ada").enter(room), party("Bob").enter(room)
        for page in (ada, bob):
            page.until_video(2)
            assert robot.sid in page.snapshot()["peers"]
        before = dict(robot.frames)
        sids = {ada.snapshot()["sid"], bob.snapshot()["sid"]}
        assert sids == set(before) and all(count > 0 for count in before.values())
        for _ in range(200):
            if all(robot.frames[sid] > before[sid] + 10 for sid in sids):
                break
            ada.page.wait_for_timeout(100)
        assert all(robot.frames[sid] > before[sid] + 10 for sid in sids), (before, robot.frames)
        assert ada.snapshot()["problems"] == bob.snapshot()["problems"] == []
    for page in (ada, bob):
        page.sees(1)
        page.until_video(1)
