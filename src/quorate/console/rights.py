"""What each role of a member's staff may do: no more than its work takes."""

from enum import Enum

from quorate.node.staff.views import Role


class Right(Enum):
    """One thing a person may do at the console."""

    SEE_STUDIES = "see studies and their results"
    DECIDE_STUDIES = "approve, decline and run studies"
    SIGN_ORDERS = "see and sign orders"
    OPEN_RECORDS = "see, ask for and open records"
    READ_REPORTS = "read anonymous reports"
    WRITE_REPORTS = "write anonymous reports, where the node is one's own"
    SEE_BUDGETS = "see privacy budgets"
    SEE_AUDIT = "see and verify the audit log"
    SEE_GROUP = "see the group"
    KEEP_STAFF = "invite and remove people"


_SPEAKS = frozenset({Right.READ_REPORTS, Right.WRITE_REPORTS})

RIGHTS: dict[Role, frozenset[Right]] = {
    "data officer": _SPEAKS
    | {Right.SEE_STUDIES, Right.DECIDE_STUDIES, Right.SEE_BUDGETS, Right.SEE_GROUP},
    "clinician": _SPEAKS | {Right.SIGN_ORDERS, Right.OPEN_RECORDS, Right.SEE_GROUP},
    "auditor": frozenset({Right.SEE_STUDIES, Right.SEE_BUDGETS, Right.SEE_AUDIT, Right.SEE_GROUP}),
    "administrator": frozenset({Right.SEE_GROUP, Right.KEEP_STAFF}),
}
