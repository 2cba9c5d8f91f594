"""The middleware of our own. All of it is async: a sync one holds a thread for each viewer of a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

from factoryai.logins import locked_out

CHUNK_BYTES = 64 * 1024


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, which is sync, made async: other requests pass without a thread, files are read in one."""

    async_capable = sync_capable = True

    def __init__(self, get_response: Callable[..., Any], settings: Any = settings) -> None:
        super().__init__(get_response, settings)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def add_files(self, root: str, prefix: str | None = None) -> None:
        """Leave out a folder that is not collected yet: the finders serve those files meanwhile."""
        if Path(root).is_dir():
            super().add_files(root, prefix=prefix)

    def add_files_from_finders(self) -> None:
        """Serve what was collected, packed; only what never was collected comes from where it lies."""
        if not Path(self.static_root).is_dir():
            super().add_files_from_finders()

    def __call__(self, request: HttpRequest) -> Any:
        return self._answer(request) if iscoroutinefunction(self) else super().__call__(request)

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(self.static_prefix):
            return await self.get_response(request)
        response = await sync_to_async(self._file, thread_sensitive=False)(request)
        return response or await self.get_response(request)

    def _file(self, request: HttpRequest) -> HttpResponseBase | None:
        find = self.find_file if self.autorefresh else self.files.get
        static_file = find(request.path_info)
        if static_file is None:
            return None
        response = self.serve(static_file, request)
        if response.streaming:
            response.streaming_content = _read(response.file_to_stream)
        return response


async def _read(file: Any) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield chunk


class _Both:
    """A middleware that serves sync and async handlers alike by changing the response in `finish`."""

    async_capable = sync_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if iscoroutinefunction(self):
            return self._answer(request)
        return self.finish(request, self.get_response(request))

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        return self.finish(request, await self.get_response(request))

    def finish(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        raise NotImplementedError


class ResponseHeaders(_Both):
    """Adds the content security policy, and forbids keeping answers of the API."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self.policy = "; ".join(f"{name} {value}" for name, value in settings.CONTENT_SECURITY_POLICY.items())

    def finish(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if request.path_info.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class LockedOut(_Both):
    """Answers 429 once django-axes has stopped a login. Its own middleware passes wrong arguments when async."""

    def finish(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponse | HttpResponseBase:
        return locked_out(request) if getattr(request, "axes_locked_out", False) else response
