"""What a run of a workflow is: state, events, commands, effects, and the rules between them.

Pure: no threads, no clocks, no input or output, no chance. It may import the definition, the expressions and the vocabulary below them.
"""
