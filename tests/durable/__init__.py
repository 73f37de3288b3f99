"""The engine on stores that outlive it."""
