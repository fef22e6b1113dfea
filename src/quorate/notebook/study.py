"""One study, from Python: read what it reveals, decide, run it, look at what came out."""

import html
import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

from quorate.cli import study_text
from quorate.cli.options import write_file
from quorate.cli.progress import follow
from quorate.node.client import Client
from quorate.node.views import StudyView
from quorate.notebook.frames import facts_of, results_of, table_of
from quorate.pictures.charts import Chart
from quorate.pictures.drawing import drawn
from quorate.pictures.released import chart_named, charts_of
from quorate.studies.release import Verified, from_json, verify_release

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class Study:
    """A study at one's own node. What is read of it is what the node says now."""

    def __init__(self, client: Client, view: StudyView) -> None:
        self._client = client
        self._view = view

    @property
    def id(self) -> str:
        return self._view.id

    @property
    def state(self) -> str:
        return self._now().state

    @property
    def disclosure(self) -> tuple[str, ...]:
        """Return what approving the study means, in words."""
        return self._view.disclosure

    @property
    def approved_by(self) -> tuple[str, ...]:
        return self._now().approved_by

    def approve(self) -> Self:
        """Let this member take part. Raises `Refused`."""
        self._view = self._client.approve(self.id)
        return self

    def decline(self) -> Self:
        """Refuse the study for good, and tell the other members."""
        self._view = self._client.decline(self.id)
        return self

    def revoke(self) -> Self:
        """Take this member's approval back, as long as no run has begun. Raises `Refused`."""
        self._view = self._client.revoke(self.id)
        return self

    def run(self, *, quiet: bool = False) -> Self:
        """Run the study among all members, to its end; progress is shown unless `quiet`.

        A study whose last run failed is run again. Raises `Refused`, `Abort`, `Unavailable`.
        """
        again = self._now().state == "failed"
        events = self._client.resume(self.id) if again else self._client.run(self.id)
        self._view = follow(events, quiet=quiet)
        return self

    @property
    def release(self) -> Verified:
        """Return what came out, verified: plan, roster and certificate.

        Raises `NotFound` before there is a release, and `VerificationFailed`.
        """
        return verify_release(from_json(self._client.release(self.id)))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the release as a file that `quorate verify` checks. Raises `NotFound`."""
        target = Path(path)
        write_file(target, self._client.release(self.id))
        return target

    @property
    def results(self) -> "pd.DataFrame":
        """Return a row for each number that was released."""
        return results_of(self.release)

    def table(self, name: str) -> "pd.DataFrame":
        """Return one release or analysis: a row for each cell, a column for each number.

        Raises `NotFound`.
        """
        return table_of(self.release, name)

    def facts(self, name: str) -> "pd.Series":
        """Return what one release or analysis says of all rows together, such as R squared.

        Raises `NotFound`.
        """
        return facts_of(self.release, name)

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Return what can be drawn of the release, as data."""
        verified = self.release
        return charts_of(verified.plan, verified.certificate.results)

    def plot(self, name: str = "") -> "Figure":
        """Return one chart as a figure, the first if none is named. Raises `NotFound`."""
        charts = self.charts
        return drawn(chart_named(charts, name or (charts[0].name if charts else "")))

    def __repr__(self) -> str:
        return "\n".join(study_text.whole(self._now()))

    def _repr_html_(self) -> str:
        """Show the study in a notebook. Its words are other members': none of them is markup."""
        return f"<pre>{html.escape(repr(self))}</pre>"

    def _now(self) -> StudyView:
        self._view = self._client.study(self.id)
        return self._view
