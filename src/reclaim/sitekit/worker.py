"""gunicorn's threaded worker, bounded in time and silent about requests.

A thread serves a request from its first byte to the end of its answer, so whoever sends or reads slowly holds one.
Here each has a budget: the connection waits for its first byte without a thread, a request must keep a least pace,
and an answer must be taken within a while. What then frees the thread is the sender's doing, and is not logged.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http import Request, RequestParser, errors, wsgi
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from reclaim.sitekit.events import log_failure
from reclaim.sitekit.headers import headers_of_every_answer

FIRST_BYTE_SECONDS = 5.0
READ_SECONDS = 10.0
BYTES_PER_SECOND = 8 * 1024
"""A request has ``READ_SECONDS``, and a second more for each so many bytes that came: no trickle lasts."""
WRITE_SECONDS = 30.0
LINGER_SECONDS = 1.0

_STATUS: dict[type[Exception], HTTPStatus] = {
    errors.ConfigurationProblem: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.ForbiddenProxyRequest: HTTPStatus.FORBIDDEN,
    errors.ParseException: HTTPStatus.BAD_REQUEST,
}
"""How a request that cannot be read is answered: the first that fits."""


class ServerLog(Logger):
    """gunicorn's log, handed to the site's own, where ``OurSentences`` replaces its words."""

    def setup(self, cfg: Any) -> None:
        """Add no handler of its own (``errorlog`` is None), and pass everything on."""
        super().setup(cfg)
        self.error_log.propagate = True


class TooSlowError(errors.NoMoreData, TimeoutError):
    """The request did not come within its time. gunicorn closes on the first, Django sees the second."""


class _PacedReader(SocketUnreader):
    """Reads a socket, but each request no longer than its budget."""

    def restart(self) -> None:
        """A request begins."""
        self._deadline = time.monotonic() + READ_SECONDS

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes. Raises ``TooSlowError``."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooSlowError
        given = self.sock.gettimeout()
        self.sock.settimeout(left if given is None else min(left, given))
        try:
            data = self.sock.recv(max(size_hint or 0, self.mxchunk))
        except TimeoutError:
            raise TooSlowError from None
        finally:
            self.sock.settimeout(given)
        self._deadline += len(data) / BYTES_PER_SECOND
        return data


class _Connection(TConn):
    """A connection whose requests are read at a pace."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self._reader = _PacedReader(sock)
        self.parser = RequestParser(cfg, sock, client)
        self.parser.unreader = self._reader

    def init(self) -> None:
        """Called before each request."""
        self._reader.restart()
        super().init()

    def close(self, graceful: bool = False) -> None:
        """Close at once: this runs in the loop that serves everybody. ``handle`` has lingered where that helps."""
        util.close(self.sock)


class _Response(wsgi.Response):
    """An answer that does not say which server made it."""

    def default_headers(self) -> list[str]:
        return [line for line in super().default_headers() if not line.startswith("Server:")]


class SiteWorker(ThreadWorker):
    """Serves a site; see the module."""

    alive: bool
    _ANSWER: ClassVar[str] = "The server cannot read this request, or could not answer it. Please send it again.\n"

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and give it a thread only once its first byte is there."""
        try:
            sock, client = listener.accept()
        except OSError:  # it went away, or there are too many: the next round sees to it
            return
        self.nr_conns += 1
        conn = _Connection(self.cfg, sock, client, listener.getsockname())
        conn.timeout = time.monotonic() + FIRST_BYTE_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: TConn) -> bool:
        """Serve one request, in a thread; whether the connection stays open."""
        stays = super().handle(conn)
        if not stays:
            # Closing over unread data would cut the answer off, so what still comes is read and dropped for a moment.
            util.close_graceful(conn.sock, timeout=LINGER_SECONDS)
        return stays

    def handle_request(self, req: Request, conn: TConn) -> bool:
        """Answer one request; whether the connection may carry another."""
        conn.sock.settimeout(WRITE_SECONDS)
        response, environ = wsgi.create(req, conn.sock, conn.client, conn.server, self.cfg, response_class=_Response)
        environ["wsgi.multithread"] = True
        site: Any = self.wsgi
        if not self.alive or len(self.keepalived_conns) >= self.max_keepalived:
            response.force_close()
        try:
            with contextlib.closing(site(environ, response.start_response)) as body:
                # Nobody knows where a next request would begin, or a body that was refused for its size is on its way.
                if getattr(req.body, "failed", False) or response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                    response.force_close()
                if isinstance(body, wsgi.FileWrapper):
                    response.write_file(body)
                else:
                    for piece in body:
                        response.write(piece)
                response.close()
        except (TimeoutError, ConnectionError):  # the reader stopped reading, or has gone
            return False
        except Exception as error:
            if not response.headers_sent:
                raise
            log_failure("an answer broke off", error)
            return False
        return not response.should_close()

    def handle_error(self, req: Request | None, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer what never reached the site, with the site's headers, saying nothing of what came.

        A request that cannot be read is its sender's error: it is answered, and not logged.
        """
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        if req is None:
            status = next((fitting for kind, fitting in _STATUS.items() if isinstance(exc, kind)), status)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            log_failure("the server could not answer", exc)
        body = self._ANSWER.encode()
        headers = {
            "Connection": "close",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            **headers_of_every_answer(),
        }
        lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        with contextlib.suppress(OSError):
            client.settimeout(WRITE_SECONDS)
            client.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
