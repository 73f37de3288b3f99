"""The expression language: one for `${…}`, conditions, `forEach` and template selectors.

It may import `fluxor_actors.errors` and other modules of the vocabulary, nothing above. lark and google-re2 are loaded when the
first expression needs them.

Example:
    >>> evaluate("price * count > 100 ? 'large' : 'small'", {"price": 30, "count": 4})
    'large'
    >>> expand({"to": "${user.name}", "text": "Hi $user.name!"}, {"user": {"name": "Ada"}})
    {'to': 'Ada', 'text': 'Hi Ada!'}
"""

from __future__ import annotations

from fluxor_actors.errors import ExpressionError
from fluxor_actors.expression.api import compile_expression, evaluate, expand
from fluxor_actors.expression.compiled import Expression
from fluxor_actors.expression.expansion import Value
from fluxor_actors.expression.language import Language
from fluxor_actors.expression.limits import Limits
from fluxor_actors.expression.values import is_true
from fluxor_actors.expression.variables import Variables

__all__ = [
    "Expression",
    "ExpressionError",
    "Language",
    "Limits",
    "Value",
    "Variables",
    "compile_expression",
    "evaluate",
    "expand",
    "is_true",
]
