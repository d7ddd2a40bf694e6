"""How a launcher gives up."""


class Stop(Exception):
    """What failed and what to do next, in one sentence."""
