"""A small HTTP server on loopback that speaks enough of S3 for files: put, get, head, delete, list."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class S3Server(http.server.ThreadingHTTPServer):
    """``with S3Server() as server:`` then ``server.url`` and ``server.objects`` by ``/bucket/key``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.is_refusing = False
        self.after_put: Callable[[], object] | None = None
        """Called once an object is kept and before that is said: what happens meanwhile elsewhere."""
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: S3Server

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path)

    def do_PUT(self) -> None:
        body = self._read_body()
        if self.server.is_refusing:
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>")
            return
        self.server.objects[self.key] = body
        if self.server.after_put:
            self.server.after_put()
        self._send(200)

    def _read_body(self) -> bytes:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return data
        body, rest = b"", data
        while rest:
            head, _, rest = rest.partition(b"\r\n")
            size = int(head.partition(b";")[0], 16)
            if not size:
                return body
            body, rest = body + rest[:size], rest[size + 2 :]
        return body

    def do_HEAD(self) -> None:
        data = self.server.objects.get(self.key)
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self._list(query.get("prefix", [""])[0])
        elif (data := self.server.objects.get(self.key)) is None:
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._send(200, data)

    def _list(self, prefix: str) -> None:
        folder = self.key.rstrip("/") + "/"
        rows = [
            f"<Contents><Key>{escape(name.removeprefix(folder))}</Key><Size>{len(data)}</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for name, data in sorted(self.server.objects.items())
            if name.startswith(folder + prefix)
        ]
        body = f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(rows)}</ListBucketResult>"
        self._send(200, body.encode())

    def do_DELETE(self) -> None:
        self.server.objects.pop(self.key, None)
        self._send(204)

    def _send(self, status: int, data: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
