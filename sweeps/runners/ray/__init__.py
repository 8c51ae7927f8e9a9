"""Computes of kind `ray`: commands as jobs of a Ray cluster, over its Jobs REST API.

The studio needs no Ray. A job is a carrier (`sweeps.runners.relay`) with the sweep's code, which
brings all that a command writes to the spool here: that is the truth. Ray is asked only for what
the spool cannot tell: jobs that wait, and jobs that went without a result.
"""
