"""The mailbox against a model of it: a place that holds one thing and counts what it loses."""

from __future__ import annotations

import threading

from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import integers

from runtime.system.latest import Latest


class MailboxMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.rung = 0
        self.box: Latest[int] = Latest(self.ring)
        self.held: int | None = None
        self.lost = self.expected_rung = 0
        self.shut = False

    def ring(self) -> None:
        self.rung += 1

    @rule(value=integers(0, 9))
    def put(self, value: int) -> None:
        self.box.put(value)
        if not self.shut:
            self.lost += self.held is not None
            self.expected_rung += self.held is None
            self.held = value

    @rule()
    def take(self) -> None:
        assert self.box.take(0) == self.held
        self.held = None

    @rule()
    def close(self) -> None:
        self.box.close()
        self.shut, self.held = True, None

    @invariant()
    def counts_agree(self) -> None:
        assert self.box.dropped == self.lost
        assert self.rung == self.expected_rung
        assert self.box.closed == self.shut


TestMailbox = MailboxMachine.TestCase


def test_close_wakes_a_waiter_with_nothing() -> None:
    box: Latest[int] = Latest()
    taken: list[int | None] = [7]
    waiter = threading.Thread(target=lambda: taken.__setitem__(0, box.take()))
    waiter.start()
    box.close()
    waiter.join(5)
    assert not waiter.is_alive()
    assert taken == [None]
