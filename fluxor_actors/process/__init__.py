"""What a run of a workflow is: state, events, commands, effects, and the rules between them.

Pure: no threads, no clocks, no input or output, no chance. May import policies, approvals, the definition, the expressions and the vocabulary below
them; who stores, runs or shows processes imports it.
"""
