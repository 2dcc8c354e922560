"""Taking changes back from their rows in the log, checked against what happened since.

`reasons` says which rows nobody can take back, `rights` who may, `fields` what would become of a field, `steps` of a
thing, and `planning` puts together what is shown first and then done.
"""
