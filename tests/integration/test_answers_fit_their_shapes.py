# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""No answer leaves the lab that does not fit botocore's output shape; test_rollback_full shows that a whole rollback meets none."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from loopback_aws import server
from loopback_aws.durations import Durations
from loopback_aws.lab import ACCESS_KEY, REGION, SECRET_KEY, Lab
from loopback_aws.wire import Service
from spymeo_world import world

# moto's serializer says of the lab's own errors that no model of AWS has them.
pytestmark = pytest.mark.filterwarnings("ignore:Exception.ApiError. with code:UserWarning")


class Wrong(Service):
    """Secrets Manager as somebody writes it who has not read the model."""

    model = "secretsmanager"

    def get_random_password(self, request):
        return {"RandomPassword": 12345}

    def describe_secret(self, request):
        return {"Name": "x", "Nonsense": True}

    def list_secrets(self, request):
        return {"SecretList": [{"Name": "x", "CreatedDate": "yesterday"}]}

    def get_secret_value(self, request):
        return {"Name": "x", "SecretString": "right"}


@pytest.fixture
def wrong(tmp_path):
    """(boto3 client, call log) of a lab whose only service is Wrong."""
    lab = Lab(tmp_path, Durations())
    lab.add(Wrong(lab))
    api = server.Api(lab)
    listener = server.start(api, 0, poll_interval=0.02)
    client = boto3.client(
        "secretsmanager", endpoint_url=f"http://127.0.0.1:{listener.port}", region_name=REGION, aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY, config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    yield client, api.calls
    listener.shutdown()
    listener.server_close()
    lab.close()


@pytest.mark.parametrize(
    ("operation", "arguments", "why"),
    [
        ("get_random_password", {}, "Invalid type for parameter RandomPassword"),
        ("describe_secret", {"SecretId": "x"}, 'Unknown parameter in input: "Nonsense"'),
        ("list_secrets", {}, "Invalid type for parameter SecretList[0].CreatedDate"),
    ],
    ids=["a wrong type", "a key that AWS does not have", "deep inside"],
)
def test_an_answer_that_does_not_fit_is_an_internal_failure(wrong, operation, arguments, why):
    client, calls = wrong
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**arguments)
    assert refused.value.response["Error"]["Code"] == "InternalFailure"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert why in refused.value.response["Error"]["Message"]
    assert [call["error"] for call in calls.all()] == ["InternalFailure"]


def test_an_answer_that_fits_is_given(wrong):
    client, calls = wrong
    assert client.get_secret_value(SecretId="x")["SecretString"] == "right"
    assert [call["error"] for call in calls.all()] == [None]


def test_an_operation_that_the_lab_lacks_is_told_and_recorded(wrong):
    client, calls = wrong
    with pytest.raises(ClientError, match="The lab has no secretsmanager RotateSecret"):
        client.rotate_secret(SecretId="x")
    assert [call["error"] for call in calls.all()] == ["UnknownOperationException"]


def test_boto3_understands_what_moto_answers(shared_production):
    aws = shared_production.aws
    s3, sns, sqs = aws("s3"), aws("sns"), aws("sqs")
    s3.create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="runs", Key="journal", Body=b"intent", IfNoneMatch="*")
    assert s3.get_object(Bucket="runs", Key="journal")["Body"].read() == b"intent"
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="crash loop")
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "crash loop"
    assert sns.publish(TopicArn=sns.create_topic(Name="on-call")["TopicArn"], Message="crash loop")["MessageId"]
    assert aws("sts").get_caller_identity()["Account"] == shared_production.state["account"]
    role = aws("iam").get_role(RoleName=world.EXECUTION_ROLE)["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    assert len(aws("ec2").describe_subnets()["Subnets"]) == 3
    assert (
        aws("kms").describe_key(KeyId=aws("kms").create_key()["KeyMetadata"]["KeyId"])["KeyMetadata"]["Enabled"] is True
    )
