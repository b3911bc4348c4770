"""What went wrong, in words for people: the thing, and the cure."""


class Fault(Exception):
    """A fault that ends a command; the text names the thing and says what to do."""

    def __init__(self, thing: str, cure: str = ""):
        """Join the thing and its cure."""
        super().__init__(f"{thing}\n{cure}".rstrip())
