"""Live use: the page is served on this machine alone and follows what is published."""

import http.client
import inspect
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from segmentation import explorer_server
from segmentation.explorer_server import Site, open_server, serve


def draw(exports):
    """Draw a page that says what the manifest says, with a chart beside it."""
    text = Path(exports, "manifest.json").read_text()
    if text == "broken":
        raise ValueError("a set that cannot be drawn")
    Path(exports, "explorer.html").write_text(f"<html><body>{text}</body></html>")
    Path(exports, "charts").mkdir(exist_ok=True)
    Path(exports, "charts", "map.png").write_bytes(b"picture of " + text.encode())


def publish(exports, text):
    """Replace the manifest in one step, as publishing does."""
    Path(exports, "new").write_text(text)
    Path(exports, "new").replace(Path(exports, "manifest.json"))


@pytest.fixture
def exports(tmp_path):
    folder = tmp_path / "exports" / "shop"
    (folder / "0123").mkdir(parents=True)
    (folder / "0123" / "dim_customers.parquet").write_bytes(b"customers")
    (tmp_path / "exports" / "secret.png").write_bytes(b"of another input")
    (folder / "manifest.json").write_text("first")
    return folder


@pytest.fixture
def server(exports):
    with open_server(Site(exports, draw), 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def ask(server, address, method="GET", **headers):
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, address, skip_host=True)
    for name, value in ({"Host": f"127.0.0.1:{port}"} | headers).items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, content, response.headers


def test_it_listens_on_the_loopback_address_alone(server):
    host, port = server.server_address
    assert host == "127.0.0.1"
    # every address of 127.0.0.0/8 is this machine: one that is not listened on refuses
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), 2):
        pass


def test_it_serves_the_page_and_the_charts(server):
    status, content, headers = ask(server, "/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert content.startswith(b"<html><body>first<script>")
    assert ask(server, "/explorer.html?segment=value-1")[1] == content
    status, content, headers = ask(server, "/charts/map.png")
    assert (status, content) == (200, b"picture of first")
    assert headers["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    "address",
    [
        "/manifest.json",
        "/0123/dim_customers.parquet",
        "/0123/",
        "/charts/",
        "/../secret.png",
        "/charts/../../secret.png",
        "/%2e%2e/secret.png",
        "/..%2fsecret.png",
        "//etc/passwd",
        "/charts/map.png/",
        "/charts\\map.png",
        "/favicon.ico",
        "",
    ],
)
def test_anything_else_is_not_found(server, exports, address):
    assert (exports / ".." / "secret.png").exists()
    status, content, _ = ask(server, address or "*")
    assert status == 404
    assert b"another input" not in content
    assert b"customers" not in content


def test_a_foreign_name_that_points_here_gets_nothing(server):
    port = server.server_address[1]
    assert ask(server, "/", Host=f"localhost:{port}")[0] == 200
    for name in ("shop.example", f"shop.example:{port}", "127.0.0.1", ""):
        status, content, _ = ask(server, "/", Host=name)
        assert status == 421, name
        assert b"first" not in content


def test_only_reading_is_possible(server):
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert ask(server, "/", method)[0] == 501, method
    status, content, headers = ask(server, "/", "HEAD")
    assert (status, content) == (200, b"")
    assert int(headers["Content-Length"]) > 0


def test_a_new_manifest_makes_a_new_page_and_tells_the_open_one(server, exports):
    shown = ask(server, "/")[1].decode()
    known = re.search(r'!== "(\w+)"\) location\.reload', shown)[1]
    assert ask(server, "/revision")[1].decode() == known
    assert server.site.refresh() is False
    publish(exports, "second")
    assert server.site.refresh() is True
    assert ask(server, "/revision")[1].decode() != known
    assert b"second" in ask(server, "/")[1]
    assert ask(server, "/charts/map.png")[1] == b"picture of second"
    # the page on the disk stays free of what the server adds
    assert (exports / "explorer.html").read_text() == "<html><body>second</body></html>"


def test_a_set_that_cannot_be_drawn_leaves_the_page_as_it_was(server, exports):
    before = ask(server, "/")[1], ask(server, "/revision")[1]
    publish(exports, "broken")
    with pytest.raises(ValueError, match="cannot be drawn"):
        server.site.refresh()
    assert (ask(server, "/")[1], ask(server, "/revision")[1]) == before
    (exports / "manifest.json").unlink()  # the moment in which it is replaced
    assert server.site.refresh() is False


def test_a_port_that_is_taken_gives_the_next_free_one(server, exports):
    port = server.server_address[1]
    with open_server(server.site, port) as other:
        assert port < other.server_address[1] <= port + explorer_server.PORTS_TRIED


def test_no_free_port_is_said(server, monkeypatch):
    monkeypatch.setattr(explorer_server, "PORTS_TRIED", 0)
    with pytest.raises(OSError, match=r"No port from \d+ to \d+ is free"):
        open_server(server.site, server.server_address[1])


def test_nothing_published_yet_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="make build INPUT=shop"):
        serve(tmp_path / "shop", 0, draw=print)


LIVE = f"""
import sys
from pathlib import Path
from segmentation.explorer_server import serve

{inspect.getsource(draw)}
serve(Path(sys.argv[1]), int(sys.argv[2]), draw=draw, seconds=0.05,
      say=lambda line: print(line, flush=True))
"""


def test_it_follows_what_is_published_until_ctrl_c(exports):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = subprocess.Popen(
            [sys.executable, "-c", LIVE, str(exports), str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert "Drawing" in running.stdout.readline()
            assert f"Port {port} is in use" in running.stdout.readline()
            address = re.search(
                r"http://127\.0\.0\.1:(\d+)/", running.stdout.readline()
            )
            assert int(address[1]) > port
            assert "Ctrl-C" in running.stdout.readline()
            publish(exports, "broken")
            assert "stays as it was: ValueError" in running.stdout.readline()
            publish(exports, "second")
            assert "drawn again" in running.stdout.readline()
            assert "second" in Path(exports, "explorer.html").read_text()
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=30)
        finally:
            running.kill()
    assert "Ended" in out
    assert err == ""
    assert running.returncode == 0


CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_open_page_reloads_where_it_was_when_a_set_is_published(demo, tmp_path):
    explorer = pytest.importorskip("segmentation.explorer")
    from playwright.sync_api import sync_playwright

    exports = Path(shutil.copytree(demo.exports, tmp_path / "demo"))
    site = Site(exports, explorer.write_explorer)
    with open_server(site, 0) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        asked, faults = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: faults.append(message.text))
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        page.goto(f"{address}?shared=view#kept")
        where = page.url
        page.evaluate("window.isTheFirst = true")
        manifest = json.loads((exports / "manifest.json").read_text())
        publish(exports, json.dumps(manifest | {"input": "renamed"}))
        assert site.refresh()
        # the page forbids what wait_for_function would do in it
        page.get_by_text("renamed").first.wait_for(timeout=30_000)
        assert not page.evaluate("window.isTheFirst")
        assert page.url == where
        assert all(url.startswith(address) for url in asked)
        assert faults == []
        browser.close()
        server.shutdown()
