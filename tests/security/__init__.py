"""What an attacker would try; `make security` runs all of it, `make test` what is quick."""
