"""The grammar, as lark reads it. Levels are those of the documentation."""

from __future__ import annotations

__all__ = ["GRAMMAR"]

GRAMMAR = r"""
start: body
?body: conditional
     | "{" conditional "}"

?conditional: disjunction                                                      // 1
            | disjunction QUESTION conditional ":" conditional
?disjunction: conjunction                                                      // 2
            | disjunction OR conjunction                 -> binary
?conjunction: negation                                                         // 3
            | conjunction AND negation                   -> binary
?negation: comparison                                                          // 4
         | NOT negation                                  -> unary
?comparison: additive                                                          // 5
           | comparison COMPARE additive                 -> binary
           | comparison IN additive                      -> binary
           | comparison NOT IN additive                  -> not_in
           | comparison CONTAINS additive                -> contains
           | comparison REGEX                            -> match
           | REGEX                                       -> prefix_match
?additive: multiplicative                                                      // 6
         | additive (PLUS | MINUS) multiplicative        -> binary
?multiplicative: unary                                                         // 7
               | multiplicative (STAR | SLASH | PERCENT) unary -> binary
?unary: postfix                                                                // 8
      | MINUS unary
?postfix: atom                                                                 // 9
        | postfix DOT_FIELD                              -> field
        | postfix OPEN conditional "]"                   -> index
        | postfix CALL [arguments] ")"                   -> call
        | IS_NIL CALL conditional ")"                    -> is_nil
?atom: INTEGER                                           -> integer
     | DECIMAL                                           -> decimal
     | STRING                                            -> string
     | (TRUE | FALSE | NULL)                             -> constant
     | NAME                                              -> name
     | DOLLAR_NAME                                       -> dollar_name
     | SESSION DOT_FIELD                                 -> session_field
     | SESSION OPEN STRING "]"                           -> session_index
     | CALL conditional ")"                              -> parentheses
     | DOLLAR_BRACE body "}"                             -> parentheses
     | OPEN [arguments [","]] "]"                        -> list_of
     | "{" [entries [","]] "}"                           -> mapping_of
arguments: conditional                                   -> one
         | arguments "," conditional                     -> more
entries: entry                                           -> one
       | entries "," entry                               -> more
entry: key ":" conditional
key: NAME | STRING | TRUE | FALSE | NULL

DOLLAR_BRACE: "${"
DOLLAR_NAME: /\$[^\W\d]\w*/
SESSION: /\$(?=\s*[.\[])/
DOT_FIELD: /\.\s*\w+/
OPEN: "["
CALL: "("
QUESTION: "?"
OR.2: /\|\||or\b/
AND.2: /&&|and\b/
NOT.2: /!|not\b/
IN.2: /in\b/
COMPARE.3: /==|!=|<=|>=|<|>/
CONTAINS.4: /!?\/contains\/|\/not_contains\//
REGEX.4: /!?~\/(?:[^\/\\]|\\[\s\S])*\//
PLUS: "+"
MINUS: "-"
STAR: "*"
SLASH: "/"
PERCENT: "%"
TRUE.2: /true\b/
FALSE.2: /false\b/
NULL.2: /(?:null|nil)\b/
IS_NIL.3: /is\s+nil(?=\s*\()/
DECIMAL.2: /[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+/
INTEGER: /[0-9]+/
STRING: /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'/
NAME: /[^\W\d]\w*/
%ignore /\s+/
"""
"""LALR(1): each expression is read in time linear to its length."""
