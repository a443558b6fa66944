# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS's wire protocols, driven by the botocore models: parse and check a request, check and write the answer.

moto's parser and serializer know the protocols; botocore's validator knows the shapes. An answer that does not fit its
output shape never leaves the lab: it becomes an InternalFailure, so a test meets it as an error and not as a habit.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from botocore import xform_name
from botocore.utils import parse_timestamp
from botocore.validate import ParamValidator
from moto.core.exceptions import ServiceException
from moto.core.loaders import create_loader
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SerializationContext, get_serializer_class
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from .lab import Lab

LONG = 500  # items of a list that are all alike
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/,]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


class ApiError(ServiceException):
    """`ApiError(code, message)`: an error answer. `code` is AWS's (`DBInstanceNotFound`), the HTTP status comes from the model.

    A class of the lab's own, because moto looks for the error shape in the service after which the class's module is named.
    """


@functools.cache
def service_model(name: str) -> ServiceModel:
    """The botocore model of a service by boto3's client name (`ecs`, `elbv2`)."""
    return ServiceModel(create_loader().load_service_model(name, "service-2"), name)


def credential_scope(request: Request) -> tuple[str, str, str] | None:
    """(access key id, region, signing name) of a request signed with Signature Version 4; None when it is not signed."""
    match = _CREDENTIAL.search(request.headers.get("Authorization", ""))
    return (match["key"], match["region"], match["service"]) if match else None


def operation_name(request: Request) -> str:
    """The operation a JSON or query request asks for; empty when it names none (REST protocols)."""
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2]
    return request.values.get("Action", "")


def parse(request: Request, operation: OperationModel) -> dict[str, Any]:
    """The request's parameters as boto3 would have been given them.

    :raises ApiError: ValidationException when they do not fit the input shape.
    """
    protocol = operation.service_model.resolved_protocol
    body = request.get_data()
    values = MultiDict(parse_qsl(body.decode(), keep_blank_values=True)) if protocol == "query" else request.args
    # Without a parser of our own moto gives times without a zone, which do not compare with lab.now().
    parameters = PROTOCOL_PARSERS[protocol](operation, timestamp_parser=parse_timestamp).parse(
        {
            "body": body,
            "headers": request.headers,
            "method": request.method,
            "url_params": {},
            "url_path": request.path,
            "values": values,
        }
    )
    if operation.input_shape is not None:
        report = ParamValidator().validate(parameters, operation.input_shape)
        if report.has_errors():
            raise ApiError("ValidationException", report.generate_report())
    return parameters


def fitting(operation: OperationModel, result: dict[str, Any]) -> dict[str, Any] | ApiError:
    """`result` if it fits the operation's output shape, else the InternalFailure that the caller gets instead."""
    if operation.output_shape is not None:
        report = ParamValidator().validate(_sample(result), operation.output_shape)
        if report.has_errors():
            return ApiError(
                "InternalFailure", f"the lab's answer does not fit {operation.name}: {report.generate_report()}"
            )
    return result


def answer(operation: OperationModel, result: dict[str, Any] | ApiError, request_id: str) -> Response:
    """The HTTP answer for an operation's result that fits its shape, or for the error that it ended in."""
    model = operation.service_model
    serializer = get_serializer_class(model.service_name, model.resolved_protocol)
    sample = result if isinstance(result, ApiError) else _sample(result)
    reply = serializer(operation, SerializationContext(request_id)).serialize(sample)
    if sample is not result:
        if model.resolved_protocol == "json" and json.loads(reply["body"]) == json.loads(
            json.dumps(sample, default=str)
        ):
            reply["body"] = json.dumps(result)
        else:
            reply = serializer(operation, SerializationContext(request_id)).serialize(result)
    if isinstance(result, ApiError) and result.code == "InternalFailure":
        reply["status_code"] = 500
    response = Response(reply["body"], status=reply["status_code"], headers=reply["headers"])
    response.headers["x-amzn-RequestId"] = request_id
    return response


def _sample(result: dict[str, Any]) -> dict[str, Any]:
    """`result` with the ends of its longest lists only: their items are made by one function, and botocore's validator and moto's serializer take
    90 µs for each of up to 10,000."""
    if not any(isinstance(value, list) and len(value) > LONG for value in result.values()):
        return result
    return {
        key: [*value[: LONG // 2], *value[-LONG // 2 :]] if isinstance(value, list) and len(value) > LONG else value
        for key, value in result.items()
    }


class Service:
    """An AWS service of the lab: one method an operation, `DescribeServices` → `describe_services(request) -> dict`.

    `request` and the answer have exactly the botocore input and output shapes. Methods run under `lab.lock`; what takes
    time is handed to `lab.after` or `lab.background`. What the caller must wait for is done by a function that the method
    returns instead: it is called without the lock, and returns the answer.
    """

    model: str  # boto3's client name
    of_moto: frozenset[str] = frozenset()  # the operations that moto answers

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.parts: tuple[object, ...] = ()  # what has operations besides this object

    def find(self, operation: str) -> Callable[[dict[str, Any]], Any] | None:
        """The method for an operation name, or None when the lab does not have it."""
        if operation not in service_model(self.model).operation_names:
            return None
        name = xform_name(operation)
        return next((getattr(part, name) for part in (self, *self.parts) if hasattr(part, name)), None)
