"""This member's own rules: which studies its node takes part in, whoever proposes them.

    # policy.toml in the node's folder; every line is optional
    min_members = 3                 # fewer members: refused
    min_rows = 10                   # fewer rows of this member's: refused
    min_cell = 5                    # a study must withhold values over fewer rows
    privacy = true                  # only studies whose values are noised
    guard = true                    # only exact studies that are guarded against differencing
    guards_a_day = 24               # so often studies are compared with earlier ones
    approval_days = 30              # how long this member's approvals count
    recipients = ["north"]          # results may go to these members only
    max_scores = 4                  # so many scores in 30 days for one member that treats patients
    [tables]                        # these tables and columns only
    patients = ["age", "sex"]

The rules are held against a plan when this member proposes or approves it, and
again when it runs: a policy tightened in between counts. Reading is strict: a
misspelt rule is an error, not a rule that does not exist.
"""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quorate.errors import Refused, Unavailable
from quorate.studies.plan import Plan
from quorate.studies.programs import program_of
from quorate.studies.protocols import TABLES

FILE = "policy.toml"


class Policy(BaseModel):
    """The rules of one member. Defaults let everything through that the plan's own checks do."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    min_members: Annotated[int, Field(ge=2)] = 2
    min_rows: Annotated[int, Field(ge=1)] = 1
    min_cell: Annotated[int, Field(ge=1)] = 1
    privacy: bool = False
    guard: bool = False
    guards_a_day: Annotated[int, Field(ge=0)] = 24
    approval_days: Annotated[int, Field(ge=1, le=3650)] = 30
    recipients: list[str] | None = None
    max_scores: Annotated[int, Field(ge=0)] | None = None
    tables: dict[str, list[str]] | None = None

    def check(self, plan: Plan) -> None:
        """Raise `Refused` if `plan` breaks a rule."""
        if len(plan.members) < self.min_members:
            _refuse(f"wants at least {self.min_members} members, and this has {len(plan.members)}")
        if self.recipients is not None and set(plan.recipients) - set(self.recipients):
            _refuse(f"allows recipients {', '.join(self.recipients)} only")
        if self.privacy and plan.study.privacy is None:
            _refuse("wants every value noised: a study under privacy")
        exact = plan.study.privacy is None and not plan.study.is_scored
        if self.guard and exact and not plan.study.is_guarded:
            _refuse("wants exact studies to be guarded: guard = true")
        if plan.study.min_cell < self.min_cell:
            _refuse(f"wants values over fewer than {self.min_cell} rows withheld")
        if self.tables is not None:
            _check_table(self.tables, plan)

    def check_rows(self, rows: int) -> None:
        """Raise `Refused` if this member has too few rows to hide any one of them."""
        if rows < self.min_rows:
            _refuse(f"wants at least {self.min_rows} rows of its own")


def read_policy(folder: Path) -> Policy:
    """Return the policy of the node in `folder`. Raises `Unavailable` if it is not understood."""
    path = folder / FILE
    if not path.exists():
        return Policy()
    try:
        return Policy.model_validate(tomllib.loads(path.read_text()))
    except ValidationError as e:
        first = e.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Unavailable(
            f"{path}: {place}: {first['msg'].lower()}",
            hint="the rules are " + ", ".join(Policy.model_fields),
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise Unavailable(f"{path} is not TOML: {e}") from e


def _check_table(tables: dict[str, list[str]], plan: Plan) -> None:
    table = plan.study.table
    if table.name not in tables:
        _refuse(f"allows tables {', '.join(tables)} only")
    program = program_of(plan.study, len(plan.members)) if plan.protocol == TABLES else None
    names = (*table.names, *(program.reads.texts if program else ()))
    if hidden := [name for name in names if name not in tables[table.name]]:
        _refuse(f"does not allow {', '.join(hidden)} of {table.name}")


def _refuse(rule: str) -> None:
    raise Refused(
        f"this node's policy {rule}", hint="the node's operator changes it in policy.toml"
    )
