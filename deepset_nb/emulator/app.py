"""The web application: the platform's API, the bucket, and the sandbox's own endpoints."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import admin, deletion, files, metadata, sessions, uploads, workspaces
from .auth import Gate
from .bucket import bucket
from .config import SandboxConfig
from .made_up import fill
from .platform import Platform
from .seed import make_room


def create_app(config: SandboxConfig) -> FastAPI:
    """Everything the sandbox answers, over its data folder, which closes with the application's life.

    Raises:
        SandboxError: The data folder is in use, or of another version.
        InputError: A fault in the configuration is unknown.
    """
    platform = Platform(config)
    try:
        make_room(platform, config.workspace)
        fill(platform, config.workspace, config.files)
    except BaseException:
        platform.close()
        raise

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        platform.start()
        yield
        platform.close()

    app = FastAPI(title="deepset_nb sandbox", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.platform = platform
    app.router.routes.append(  # first, as it is asked most: routes are tried in their order
        Route("/bucket/{bucket}/", bucket, methods=["POST", "OPTIONS", "GET", "PUT", "DELETE"], include_in_schema=False)
    )
    add_endpoints(app)
    for prefix in ("", "/api/v1"):
        app.router.routes.append(Route(f"{prefix}/health", _health, include_in_schema=False))
    app.router.routes.append(Route("/api/v1/openapi.json", _openapi, include_in_schema=False))
    app.add_exception_handler(HTTPException, _api_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(Gate, platform=platform)
    return app


def add_endpoints(app: FastAPI) -> None:
    """What the schema names."""
    for module in (sessions, uploads, metadata, deletion, files, workspaces):
        app.include_router(module.router, prefix="/api/v1")
    app.include_router(admin.router)


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _openapi(request: Request) -> Response:
    return JSONResponse(request.app.openapi())


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    platform: Platform = request.app.state.platform
    wrapped = {"errors": [error.detail]} if platform.choices.error_wrapper == "errors" else {"detail": error.detail}
    return JSONResponse(wrapped, error.status_code, error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    # FastAPI's own body, in ASCII: it repeats the input, which may hold halves of character pairs.
    assert isinstance(error, RequestValidationError)
    body = json.dumps({"detail": jsonable_encoder(error.errors())})
    return Response(body, 422, media_type="application/json")
