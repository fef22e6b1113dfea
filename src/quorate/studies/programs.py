"""Which program over secret tables a study is computed by, if it is by one."""

from functools import partial

from quorate.studies import linking, matching, resembling
from quorate.studies.analyses.kinds import all_asked, told_words
from quorate.studies.analyses.linkage import method_of
from quorate.studies.analyses.outcome import results_told
from quorate.studies.persons import LEAKS, Method
from quorate.studies.study import Study
from quorate.studies.tables import Program

_METHODS = {Method.EXACT: linking, Method.DICE: resembling, Method.MATCH: matching}


def program_of(study: Study, members: int) -> Program:
    """Return the program of a study whose protocol is `protocols.TABLES`, among so many members."""
    (asked,) = all_asked(study, members)
    by = _METHODS[method_of(asked)]
    table = resembling if by is resembling else linking
    return Program(
        reads=linking.reads(asked),
        shapes=(table.shape(asked),) * members,
        own=partial(table.own, asked),
        compute=partial(by.linked, asked),
        words=told_words(study, members),
        results=partial(results_told, study, members),
        cost=partial(by.cost, asked),
        is_curious_only=by is matching,
        depends_on_luck=by is linking,
        tells=(f"beyond its results a run tells {LEAKS[method_of(asked)]}",),
    )
