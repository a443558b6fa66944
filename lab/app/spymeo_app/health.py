# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""GET /api/health: whether this task can serve, which means: whether it reaches its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from spymeo_app import logs, prisma_errors
from spymeo_app.http_json import answer
from spymeo_app.prisma_errors import PrismaError

if TYPE_CHECKING:
    from spymeo_app.application import Application


def health(app: Application, _request: Request) -> Response:
    """200 when the database answered, else 503."""
    report = {"release": app.config.release.version}
    try:
        with app.pool.operation("prisma.$queryRaw()") as connection:
            connection.execute("SELECT 1")
    except PrismaError as error:
        logs.write(prisma_errors.render(error))
        return answer(503, {"status": "error", **report, "database": "error", "code": error.code})
    return answer(200, {"status": "ok", **report, "database": "ok"})
