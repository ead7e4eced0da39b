"""Names that strangers may give to an account, and that must stay just names."""

from __future__ import annotations

PRINTABLE = (
    "plain",
    "two words",
    " leading and trailing ",
    "it's",
    'say "hi"',
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "&& touch pwned",
    "> pwned",
    "$HOME ${HOME} $$",
    "!! !touch",
    "*",
    "?[a-z]*",
    "~",
    "{a,b}",
    "}",
    "{",
    "#comment",
    "//comment",
    "include",
    "-rf",
    "--help",
    "--",
    "@file",
    "back\\slash\\",
    "\\n",
    "%s%n%d",
    "a=b:c,d",
    "[list]",
    "100",
    "true",
    "na\u00efve-\u65e5\u672c-\U0001f9ea",
    "x" * 3000,
)
"""Names of printable characters."""

UNPRINTABLE = (
    "line\nbreak",
    "ends in line breaks\n\n",
    "\n",
    "tab\there",
    "cr\r",
    "\x1b[31mred\x1b[0m\x07",
    "paste\x1b[201~\ntouch pwned\n",
    "bidi\u202ednert",
    "zero\u200bwidth",
    "\x7f\x85\u2028",
    'it\'s "both"\n$(touch pwned) %s 12\n3',
    "-\n",
)
"""Names that a terminal would act upon, or show as something else."""

BOTH_QUOTES = "both \" and '"
"""A printable name that cannot be quoted in a nats-server configuration."""

SAYABLE = (*PRINTABLE, *UNPRINTABLE, BOTH_QUOTES)
"""Names that a command line can carry."""

UNSAYABLE = {
    "zero\0byte": "zero byte",
    "lost \ufffd": "could not tell",
    "half \ud83d": "half a character",
    "x" * 5000: "5,000 bytes long",
    "x" * 253 + "...": "only its beginning",
}
"""Names that none can carry, and a word of the reason."""
