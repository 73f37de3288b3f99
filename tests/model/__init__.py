"""The workflow language once more: slow, plain, and of its own making; the engine has to agree with it.

The model follows the specification of the language, word by word where it can, and shares no code with the engine. It knows neither events
nor actors: every run of a task is a generator that waits where the task waits. It is driven in lockstep with what is to be checked. After
every step (an attempt ends, time passes, a signal comes, somebody cancels) both have to have the same attempts under way, with the same inputs, and wait for
the same time; in the end they have to agree on the state, the output, the errors' tasks, and the states and attempts of all executions. That is
more than rules of order: what ran too early, too late, twice or in vain shows at the step at which it happens.

Checked so are the pure core and the engine on threads. In a simulation there are no steps: what actions do is said beforehand, and the ends are compared, for
several orders of what happens in between.

Where the specification is silent the model says so (``Silent:`` in a comment), and does what the pages of the documentation say; where more than one
thing is right, a document is looked at no further, and counted as unsettled.

``pytest -m long tests/model`` checks thousands of documents and prints their seeds. `FLUXOR_MODEL_SEEDS` is how many seeds each test takes,
`FLUXOR_MODEL_START` the first of them: a seed that has failed is run again by ``FLUXOR_MODEL_START=1226 FLUXOR_MODEL_SEEDS=1``.
"""
