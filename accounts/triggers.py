"""Triggers of people: none that is held is deleted."""

from audit.triggers import hold_triggers

TRIGGERS = hold_triggers("accounts")
