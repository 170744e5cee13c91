"""Booking: the rules in plain Python, the machine beside them, races."""

import pytest

pytest.register_assert_rewrite("tests.booking.machine")  # its failures show what differs
