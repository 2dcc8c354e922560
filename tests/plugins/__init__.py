"""Fixtures by kind: the browser, the database between tests, the HTML checker, the network guard."""
