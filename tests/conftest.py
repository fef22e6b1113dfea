"""How Hypothesis behaves on a machine that others use too: slow is not wrong."""

from hypothesis import settings

settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
