"""Who may reach what: one row for each page, each operation of REST and each route of the gateway.

A route without a row fails `tests/security/test_matrix_*.py`. Give it one in `rows.py`: the least
role that may use it, as the page or operation was meant, not as it happens to behave.
"""
