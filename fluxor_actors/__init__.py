"""A durable workflow engine on actors, embedded in threaded Python applications."""
