"""The project names no host it is installed from, and no folder of one machine."""

import re

from tests.docs.project import files, shown

# Each pattern is written so that it does not match itself.
FOREIGN = re.compile(
    rb"py[p]i|python[h]osted|npm[j]s|crates[.]i[o]\b|index[-]url|find[-]links|trusted[-]host"
    rb"|(?<![\w.])/(?:wor[k]|roo[t]|hom[e]|op[t]|User[s])/\w|(?<!\w)/tm[p]/\w",
    re.IGNORECASE,
)


def test_no_file_names_an_index_or_a_folder_of_one_machine() -> None:
    found = [
        f"{shown(path)}:{number}: {line.strip()!r}"
        for path in files()
        for number, line in enumerate(path.read_bytes().splitlines(), start=1)
        if FOREIGN.search(line)
    ]
    assert not found, "\n".join(found)


def test_what_is_looked_for_is_found() -> None:
    for text in ("https://py" + "pi.org/simple", "--index" + "-URL=x", "in /wor" + "k/main"):
        assert FOREIGN.search(text.encode()), text
    for text in ("a framework/of", "docs/home/page", "../work/it"):
        assert not FOREIGN.search(text.encode()), text
