"""Computes of kind `slurm`: commands as batch jobs of the cluster whose login host this is.

A job is our guard and shim, as on this machine; all that they write lies in the spool, on a file
system that login host and nodes share. Slurm is asked only for what the spool cannot tell: jobs
that wait, and jobs that went without a result.
"""
