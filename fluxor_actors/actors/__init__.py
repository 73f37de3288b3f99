"""The shell around the pure core: actors that commit what it decides, and carry out what follows.

It may import everything that is listed above it in the layers; the façade imports it.
"""
