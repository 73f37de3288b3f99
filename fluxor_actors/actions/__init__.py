"""Actions: what tasks call. Registry, signatures, conversion of inputs and outputs, context, and the built-in services.

May import the process core and what stands below it; never storage, actors or the engine, which hand in what is needed of them
as `Host` and as the hosts of the built-in services.
"""

from __future__ import annotations
