"""`manage.py studio`: four processes, kept alive, told apart in one log, ended in order."""
