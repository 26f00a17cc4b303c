"""What the stack says when it cannot do its work."""


class StackError(RuntimeError):
    """A server cannot be started or reached. The message is one for the person at the terminal."""
