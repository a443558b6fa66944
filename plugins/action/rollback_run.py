# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of rollback_run, and through ``plugin_routing`` in meta/runtime.yml of every other module of this collection.

It bears the name of the module that each playbook begins with, because Ansible loads an action of a module's own name in the
process of ansible-playbook itself: what it imports there, all workers after it have.
"""

from __future__ import annotations

from ansible_collections.spymeo.rollback.plugins.plugin_utils._forked import ForkedModule


class ActionModule(ForkedModule):
    """See ``plugin_utils/_forked.py``."""
