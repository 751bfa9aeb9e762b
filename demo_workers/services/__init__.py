"""The processes of a stack and what keeps them on a leash."""
