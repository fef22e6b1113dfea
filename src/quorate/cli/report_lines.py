"""What people read of anonymous reports: threads, the meter, runs, what waits."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quorate.node.anonymous.certificates import Filed
    from quorate.node.anonymous.views import (
        MeterView,
        PostView,
        RunView,
        ThreadView,
        WaitingView,
    )


def thread_lines(thread: "ThreadView") -> list[str]:
    """Return what a person reads of a thread."""
    lines = [f"thread {thread.id}"]
    lines += [f"claimed by {name}, proven by both keys" for name in thread.claimed_by]
    for post in thread.posts:
        lines += ["", f"post {post.number}:", *_text(post)]
    lines += ["", *thread.arriving] if thread.arriving else []
    for post in thread.answers:
        lines += ["", f"answer, of thread {post.thread[:12]}:", *_text(post)]
    return lines


def meter_lines(meter: "MeterView") -> list[str]:
    """Return what the meter says: the set, what is lost, whether it is enough."""
    number, names = len(meter.members), ", ".join(meter.members)
    lines = [
        f"the author is one of {number} members, of {meter.organisations} organisations: {names}"
    ]
    if meter.lost:
        lines.append(f"fewer than before: without {', '.join(meter.lost)}, who are away")
    if meter.left_out:
        silent = ", ".join(meter.left_out)
        lines.append(f"left out for a day, silent in several runs by all others' word: {silent}")
    if meter.left_behind:
        there = ", ".join(meter.left_behind)
        lines.append(f"the last run was without {there}, now there: it waits for one with all")
    if meter.lacking:
        lines.append(f"too few ({' and '.join(meter.lacking)}): it waits until there are more")
    return lines


def run_lines(held: "RunView") -> list[str]:
    """Return what a person reads of one run."""
    lines = [
        f"run      {held.id}",
        f"members  {', '.join(held.members)}",
        f"texts    {held.texts}",
        f"outcome  {outcome(held)}",
    ]
    if held.parts:
        named = zip(held.members, held.parts, strict=True)
        width = max(map(len, held.members))
        lines += [f"  {name.ljust(width)}  {part} ..." for name, part in named]
        lines.append(f"  {'sum'.ljust(width)}  {held.cell} ...")
    return lines


def filed_lines(filed: "Filed") -> list[str]:
    """Return what a person reads of a filing that verifies."""
    lines = [
        f"signed by all of {', '.join(names)}: one of them wrote it" for names in filed.members
    ]
    for post in filed.posts:
        lines += ["", f"thread {post.thread.hex()[:12]}, post {post.number}:"]
        body = "(sealed)" if post.sealed else post.body.decode(errors="replace")
        lines += [f"  {line}" for line in body.splitlines()]
    return lines


_STALE = (
    "it is sealed to a key that its member has changed, and does not leave; "
    "seal it to the new one with: quorate report reseal"
)


def queued_lines(waiting: "WaitingView") -> list[str]:
    """Return what a person reads of a post that waits."""
    fragments, stale = waiting.fragments, waiting.outdated
    what = "1 run" if fragments == 1 else f"{fragments} runs, one fragment in each"
    return [
        f"queued: post {waiting.post} of thread {waiting.thread[:12]}, to leave in {what}",
        *([_STALE] * stale),
        *meter_lines(waiting.meter),
    ]


def _text(post: "PostView") -> list[str]:
    lines = [f"  {line}" for line in post.text.splitlines()]
    if post.files:
        number = "a file" if post.files == 1 else f"{post.files} files"
        lines.append(f"  (with {number}; once whole: quorate report show ID --save FOLDER)")
    if post.is_file:
        lines.append(f"  ({_file(post)})")
    if not post.sealed:
        return lines
    if not post.recipients:
        return ["  (sealed to some recipients)"]
    among, said = ", ".join(post.recipients), ", ".join(post.approved) or "nobody yet"
    rule = f"  (sealed to {among}; {post.open_by} of them open it; approved by {said})"
    return [rule, *lines]


def _file(post: "PostView") -> str:
    if post.file is None:
        return "a file that is not open" if post.sealed else "a file that its author spoilt"
    return f"a file of {post.file.size:,} bytes: {post.file.name}"


def first_line(thread: "ThreadView") -> str:
    """Return what a list of threads shows of one."""
    if not thread.posts:
        return ", ".join(thread.arriving)
    return (_text(thread.posts[0]) or [""])[0].strip()


def outcome(held: "RunView") -> str:
    """Return how a run ended, in a few words."""
    if held.culprits:
        return f"spoilt by {', '.join(held.culprits)}, proven"
    if held.failure:
        return f"failed: {held.failure}"
    if held.decision == "absent":
        return "went well, without this node"
    return "went well" if held.texts or held.decision == "key" else "under way"
