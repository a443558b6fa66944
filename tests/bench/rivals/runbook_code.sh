#!/usr/bin/env bash
# SPYMEO's runbook, option 1, with the AWS CLI and its own waiter. It is told the revision.
set -euo pipefail
aws() { "$AWS" --endpoint-url "$AWS_ENDPOINT_URL" --output text "$@"; }
aws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" --task-definition "$TASK_DEFINITION" --force-new-deployment >/dev/null
aws ecs wait services-stable --cluster "$CLUSTER" --services "$SERVICE"
curl -fsS "$HEALTH_URL"
