"""Libraries that results are compared with: they tell no types, so they are taken as they are."""

from importlib import import_module
from typing import Any

pandas: Any = import_module("pandas")
stats: Any = import_module("scipy.stats")
tables: Any = import_module("statsmodels.stats.contingency_tables")
weights: Any = import_module("statsmodels.stats.weightstats")
