"""The commands, one module each. They may import the rest of `fluxor_actors.cli`, and the engine inside of their functions."""
