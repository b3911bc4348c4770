"""Live use of the explorer page: served on this machine, drawn anew with the data.

The page itself comes from ``segmentation.explorer`` and needs no server; what is added
here is that an open page shows a new published set by itself.
"""

import errno
import hashlib
import os
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from segmentation.publishing import MANIFEST

LOOPBACK = "127.0.0.1"
PORT = 8765
PORTS_TRIED = 20
POLL_SECONDS = 0.1  # so soon it ends when it is told to
PAGE = "explorer.html"
CHARTS = "charts"
TYPES = {".html": "text/html; charset=utf-8", ".png": "image/png"}
NO_REQUESTS = b"default-src 'none'"
# Added by the server alone: the page as it lies on the disk asks nobody for anything.
# The address is kept by a reload, and with it what was chosen on the page.
RELOAD = """<script>
setInterval(async () => {
  const answer = await fetch("/revision").catch(() => null);
  if (answer?.ok && (await answer.text()) !== "%s") location.reload();
}, 1000);
</script>
"""


def serve(
    exports: Path,
    port: int = PORT,
    *,
    draw: Callable[[Path], object] | None = None,
    seconds: float = 1.0,
    say: Callable[[str], object] = print,
) -> None:
    """Serve the explorer page of an exports folder until Ctrl-C.

    Parameters
    ----------
    exports
        The folder with ``manifest.json``: ``exports/<input>``.
    port
        Where to listen on 127.0.0.1. If another program has it, one of the next 20 is
        taken and said.
    draw
        Writes the page into the folder that it is given; ``write_explorer`` if None.
    seconds
        How often the manifest is looked at.
    say
        Takes each line for the user.

    Raises
    ------
    FileNotFoundError
        Nothing is published there yet; the message says what to run.
    OSError
        No port is free, or the folder cannot be written to.

    Notes
    -----
    When the manifest is replaced the page is drawn anew, and open pages reload by
    themselves. If drawing fails the page stays as it was, with one line that says why.

    """
    if draw is None:
        from segmentation.explorer import write_explorer as draw
    manifest = Path(exports, MANIFEST)
    if not manifest.exists():
        raise FileNotFoundError(
            f"Nothing is published in {exports} yet. Build first: "
            f"make build INPUT={Path(exports).name}"
        )
    say(f"Drawing the page of {exports} ...")
    site = Site(Path(exports), draw)
    with open_server(site, port) as server:
        taken = server.server_address[1]
        if port not in (0, taken):
            say(f"Port {port} is in use by another program; this is {taken}.")
        say(
            f"The explorer of {exports} is at http://{LOOPBACK}:{taken}/ "
            "(this machine only)."
        )
        say("It follows what is published. Ctrl-C ends it.")
        thread = threading.Thread(
            target=server.serve_forever, args=(POLL_SECONDS,), daemon=True
        )
        thread.start()
        try:
            _follow(site, seconds, say)
        except KeyboardInterrupt:
            say("\nEnded. The page stays in " + str(Path(exports, PAGE)))
        finally:
            server.shutdown()
            thread.join()


def _follow(site: "Site", seconds: float, say) -> None:
    waiting = threading.Event()
    while not waiting.wait(seconds):
        try:
            if site.refresh():
                say("Published anew: the page was drawn again.")
        except Exception as error:  # what is published next may be whole again
            say(f"The page stays as it was: {type(error).__name__}: {error}")


class Site:
    """The page and the charts of an exports folder, by the address of each.

    Only what is in ``files`` can be asked for: no path is ever made from a request.
    """

    def __init__(self, exports: Path, draw: Callable[[Path], object]):
        """Draw the page for the first time."""
        self.exports = exports
        self._draw = draw
        self._seen = b""
        self.page = b""
        self.revision = ""
        self.files: dict[str, Path] = {}
        self.refresh()

    def refresh(self) -> bool:
        """Draw the page again if the manifest is another one; return whether it was."""
        seen = self._read_manifest()
        if seen is None or seen == self._seen:
            return False
        self._seen = seen  # a set that cannot be drawn is not tried each second
        self._draw(self.exports)
        page = Path(self.exports, PAGE).read_bytes()
        self.files = {
            f"/{path.relative_to(self.exports).as_posix()}": path
            for path in sorted(self.exports.glob(f"{CHARTS}/*.png"))
        }
        self.revision = hashlib.sha256(seen + page).hexdigest()[:16]
        self.page = _with_reload(page, self.revision)
        return True

    def _read_manifest(self) -> bytes | None:
        """Return its content; None for the moment in which it is replaced."""
        try:
            return Path(self.exports, MANIFEST).read_bytes()
        except OSError:
            return None

    def answer(self, address: str) -> tuple[str, bytes] | None:
        """Return type and content of what stands at an address; None for nothing."""
        if address in ("/", f"/{PAGE}"):
            return TYPES[".html"], self.page
        if address == "/revision":
            return "text/plain; charset=utf-8", self.revision.encode()
        path = self.files.get(address)
        try:
            return (TYPES[path.suffix], path.read_bytes()) if path else None
        except FileNotFoundError:
            return None


def _with_reload(page: bytes, revision: str) -> bytes:
    script = (RELOAD % revision).encode()
    # The page forbids itself every request; the copy that is served may ask its server.
    page = page.replace(NO_REQUESTS, NO_REQUESTS + b"; connect-src 'self'", 1)
    head, end, tail = page.rpartition(b"</body>")
    return head + script + end + tail if end else page + script


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # A port that was just closed can be taken at once. On Windows the same option
    # would take the port of a program that is listening.
    allow_reuse_address = os.name == "posix"

    def __init__(self, port: int, site: Site):
        self.site = site
        super().__init__((LOOPBACK, port), _Handler)

    def handle_error(self, request, client_address):
        """Say nothing of a browser that closed its connection."""


def open_server(site: Site, port: int) -> _Server:
    """Listen on the loopback address, at the port or the next free one; 0 is any."""
    last = min(port + PORTS_TRIED, 65535) if port else 0
    for candidate in range(port, last + 1):
        try:
            return _Server(candidate, site)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise OSError(
        f"No port from {port} to {last} is free on {LOOPBACK}. Name another one."
    )


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "segmentation"
    sys_version = ""

    def do_GET(self):
        self._respond(with_content=True)

    def do_HEAD(self):
        self._respond(with_content=False)

    def _respond(self, *, with_content: bool) -> None:
        # A foreign site whose name was made to point here (DNS rebinding) sends its own
        # name as Host.
        port = self.server.server_address[1]
        if self.headers.get("Host") not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "Not served by this name")
            return
        address, _, _ = self.path.partition("?")
        found = self.server.site.answer(address)
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        kind, content = found
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
        if with_content:
            self.wfile.write(content)

    def log_message(self, *_):
        """Keep the terminal for what the user should read."""
