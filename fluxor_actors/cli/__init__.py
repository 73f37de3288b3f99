"""The command line, ``fluxor``. One module a command in `commands`, what a run looks like in `views`.

May import the façade and everything below it; nothing imports it. Needs the extra ``cli``. The engine is loaded by the commands
that need it, so that ``--help`` is quick.
"""
