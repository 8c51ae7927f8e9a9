"""Commands on machines that share no files with the studio.

There a carrier (`carrier`, standard library only) is guard of the command. It fetches the launch
from the studio's desk (`desk`) and tells it logs, beats, outputs and result, so that the spool here
looks as if the command ran here: whoever reads it need not know.
"""
