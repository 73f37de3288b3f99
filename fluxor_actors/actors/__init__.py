"""The shell around the pure core: actors that commit what it decides, and carry out what follows.

May import queues, stores, actions, the core and what is below them; the façade imports it. Pykka is imported here and nowhere else.
"""
