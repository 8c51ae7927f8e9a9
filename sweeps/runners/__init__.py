"""How a command runs on a kind of compute.

The contract is in `base`, the kinds are in `registry`. Nothing is imported here: guard and shim
start as fresh interpreters for every command and must stay light.
"""
