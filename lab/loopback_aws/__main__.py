# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m loopback_aws`: what the installed command `loopback-aws` does."""

import sys

from .cli import main

sys.exit(main())
