#!/usr/bin/env bash
# SPYMEO's runbook, option 3, as a person would put it into a script: the AWS CLI with its own waiters, one step after the other.
# Code and database share one deployment here; followed to the letter it deploys twice.
set -euo pipefail
aws() { "$AWS" --endpoint-url "$AWS_ENDPOINT_URL" --output text "$@"; }

safety=$DB_INSTANCE-failed-migration-$RUN restored=$DB_INSTANCE-$RUN

echo "1. Safety snapshot $safety"
aws rds create-db-snapshot --db-instance-identifier "$DB_INSTANCE" --db-snapshot-identifier "$safety" >/dev/null
aws rds wait db-snapshot-available --db-snapshot-identifier "$safety"

echo "2. Restore $SNAPSHOT to $restored"
old() { aws rds describe-db-instances --db-instance-identifier "$DB_INSTANCE" --query "DBInstances[0].$1"; }
read -ra groups <<<"$(old 'VpcSecurityGroups[].VpcSecurityGroupId')"
aws rds restore-db-instance-from-db-snapshot --db-instance-identifier "$restored" --db-snapshot-identifier "$SNAPSHOT" \
  --db-instance-class "$(old DBInstanceClass)" --db-subnet-group-name "$(old DBSubnetGroup.DBSubnetGroupName)" \
  --vpc-security-group-ids "${groups[@]}" --db-parameter-group-name "$(old 'DBParameterGroups[0].DBParameterGroupName')" \
  --multi-az --deletion-protection --copy-tags-to-snapshot --no-auto-minor-version-upgrade \
  --enable-iam-database-authentication --enable-cloudwatch-logs-exports postgresql >/dev/null
aws rds wait db-instance-available --db-instance-identifier "$restored"

echo "3. What a restore does not take"
aws rds modify-db-instance --db-instance-identifier "$restored" --max-allocated-storage "$(old MaxAllocatedStorage)" \
  --preferred-maintenance-window "$(old PreferredMaintenanceWindow)" --enable-performance-insights --apply-immediately >/dev/null
aws rds wait db-instance-available --db-instance-identifier "$restored"

echo "4. Secrets"
host=$(aws rds describe-db-instances --db-instance-identifier "$restored" --query 'DBInstances[0].Endpoint.Address')
url=$(aws secretsmanager get-secret-value --secret-id "$DATABASE_SECRET" --query SecretString | sed -E "s#@[^:/]+#@$host#")
aws secretsmanager put-secret-value --secret-id "$DATABASE_SECRET" --secret-string "$url" >/dev/null
version() { aws secretsmanager get-secret-value --secret-id "$APP_SECRET" --version-stage "$1" --query VersionId; }
aws secretsmanager update-secret-version-stage --secret-id "$APP_SECRET" --version-stage AWSCURRENT \
  --move-to-version-id "$(version AWSPREVIOUS)" --remove-from-version-id "$(version AWSCURRENT)" >/dev/null

echo "5. Deploy $TASK_DEFINITION"
aws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" --task-definition "$TASK_DEFINITION" --force-new-deployment >/dev/null
aws ecs wait services-stable --cluster "$CLUSTER" --services "$SERVICE"

echo "6. Health"
curl -fsS "$HEALTH_URL"
