# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that our modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options, attributes and return values that more than one module has."""

    ATTRIBUTES = r"""
attributes:
  check_mode:
    description: Reports the plan and makes no writing call to AWS.
    support: full
  diff_mode:
    description: Shows what is there before and after.
    support: full
"""

    RUN = r"""
options:
  run_id:
    description:
      - The id of the run that this task belongs to, as M(spymeo.rollback.rollback_run) gives it.
      - What the run creates is named after it and bears it as the tag C(spymeo:rollback-run).
    type: str
    required: true
"""

    DATA = r"""
options:
  expected:
    description:
      - What the data are like, as far as it is known, as M(spymeo.rollback.rds_rollback_info) tells it. A database that is otherwise is refused,
        so that nothing is pointed at it. It must have tables. Those of the release point and of the failed database must be there, with at least
        half of the rows that are older than the data. Its migrations must be those that they were then.
      - Without it only O(data_rules) are asked.
    type: dict
  data_rules:
    description:
      - What holds for a table while the application is well, by table. C(columns) are there, at most C(at_most) rows (0 without it) fulfil the SQL
        condition C(corrupted_when), and it has C(at_least) so many rows. A database that breaks a rule is refused.
    type: dict
    default: {}
  despite_data:
    description:
      - What is only reported, because it is right all the same, although it is not as expected. Names of tables, C(migrations), or C(tables) for a
        database without any. V(true) stands for everything.
    type: list
    elements: str
    default: []
"""

    WRITING = r"""
options:
  run:
    description:
      - What M(spymeo.rollback.rollback_begin) gives as RV(spymeo.rollback.rollback_begin#module:run). Then each writing call is made only while
        the run holds its lock, and is written to the run's journal, before and after.
      - Playbooks give it once, by C(module_defaults) for C(group/spymeo.rollback.writing).
      - Without it the module refuses to work, except in check mode.
    type: dict
    suboptions:
      store:
        description: Where runs are remembered.
        type: str
      environment:
        description: The environment.
        type: str
      application:
        description: The application.
        type: str
      fencing:
        description: The number of the play, which tells it from those that held the lock before.
        type: int
      lease:
        description: How many seconds the lock holds without being renewed.
        type: int
"""

    MEMORY = r"""
options:
  store:
    description:
      - Where runs are remembered, either a directory, or C(s3://bucket/prefix). Runs that start on several machines, or in AWX, need a bucket.
      - A directory that would vanish with the job, as in an execution environment, is refused unless C(vanishing:) is before it.
    type: str
    default: ~/.local/state/spymeo-rollback
  aws:
    description: How a store in S3 is reached. The options are those of amazon.aws's modules.
    type: dict
    suboptions:
      access_key:
        description: The access key.
        type: str
        aliases: [aws_access_key_id, aws_access_key]
      secret_key:
        description: The secret key.
        type: str
        aliases: [aws_secret_access_key, aws_secret_key]
      session_token:
        description: The session token of temporary credentials.
        type: str
        aliases: [aws_session_token]
      profile:
        description: A profile of AWS's configuration files.
        type: str
        aliases: [aws_profile]
      endpoint_url:
        description: Another endpoint than AWS's own.
        type: str
        aliases: [aws_endpoint_url]
      region:
        description: The region.
        type: str
        aliases: [aws_region]
      validate_certs:
        description: Whether certificates are checked.
        type: bool
        default: true
      aws_ca_bundle:
        description: A file of certificates to check with.
        type: path
      aws_config:
        description: Options of botocore's Config.
        type: dict
      debug_botocore_endpoint_logs:
        description: Is taken so that amazon.aws's options can be passed on, and does nothing.
        type: bool
        default: false
  environment:
    description: The environment, such as C(production).
    type: str
    default: ""
  application:
    description: The application. It has one lock in each environment.
    type: str
    default: ""
"""

    WAIT = r"""
options:
  wait:
    description:
      - Whether to wait until it is done. The same task again, with O(wait=true), joins what is under way.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds.
    type: int
    default: 3600
"""
