"""The whole engine on one thread, under a clock that is moved and a seed that decides: `simulate`, and what it is made of.

May import everything but the command line. Nothing else imports it but the rest of ``testing``.
"""
