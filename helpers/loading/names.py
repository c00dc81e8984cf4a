"""Names that people give: as folders, and on a screen."""

import re
import unicodedata
from collections.abc import Collection
from hashlib import sha256

LONGEST = 80  # bytes of a folder name, so that paths stay short enough for Windows too
# What Windows keeps for its devices, with any ending.
DEVICES = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\..*)?")
# Control characters, and what is no character at all: no Word file and no figure can hold them.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
# These, and marks that turn the direction of writing: Arabic and Hebrew need them, but on a
# terminal they can make a line look like another.
COMMANDS = re.compile(f"{CONTROL.pattern[:-1]}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def folder_name(name: str, taken: Collection[str] = ()) -> str:
    """A name as the name of a folder on any system.

    Parameters
    ----------
    name : str
        Of any length and in any characters.
    taken : collection of str
        Names that it must not get, in lower case.

    Returns
    -------
    str
        At most 80 bytes; letters, digits, "_", "-" and "." in lower case. Where more than
        capitals and spaces had to be changed, a hash of the name keeps different names different.

    Examples
    --------
    >>> folder_name("Our centre 2018-2024")
    'our_centre_2018-2024'
    >>> folder_name("Bonn/Köln"), folder_name("Bonn Köln"), folder_name("NUL")
    ('bonn_köln_dc03a484', 'bonn_köln', 'nul_ae6de182')
    """
    wanted = re.sub(r"\s", "_", name.lower())
    letters = unicodedata.normalize("NFC", wanted)
    kept = "".join(c if c.isalnum() or c in "_-." else "_" for c in letters).strip("_-.")
    free = kept and kept not in taken and not DEVICES.fullmatch(kept)
    if free and kept == wanted and len(kept.encode()) <= LONGEST:
        return kept
    mark = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    cut = kept.encode()[: LONGEST - len(mark) - 1].decode(errors="ignore").rstrip("_-.")
    return f"{cut.replace('.', '_') or 'cohort'}_{mark}"


def visible(text: str, hidden: re.Pattern = COMMANDS) -> str:
    """A text with its hidden characters written out; by default those that a terminal obeys.

    Examples
    --------
    >>> visible("A\\x1b[31m, B")
    'A\\\\u001b[31m, B'
    """
    return hidden.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def same_look(level: str) -> str:
    """A category without what the eye misses: capitals, kinds of space and of dash."""
    level = " ".join(unicodedata.normalize("NFKC", level).casefold().split())
    return re.sub("[\u2010-\u2015\u2212]", "-", level)
