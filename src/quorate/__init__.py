"""A group that does not trust one another computes, signs, unlocks and speaks as one."""

__version__ = "0.1.0"
