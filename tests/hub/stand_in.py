"""A model hub in a thread: it answers as one does, and fails in the ways that a test asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """repos: content by file, by repository. cuts: bytes after which each next download ends; the rest are whole.

    asked: (path, range, token) of every download. hashes: wrong checksums by file.
    """

    def __init__(self):
        self.repos = {}
        self.cuts = []
        self.hashes = {}
        self.asked = []
        self.ranges = True
        self.redirect = False
        self.page = None  # what a proxy sends instead of a file
        self.status = {}  # by repository: (status, error code)
        self.listing = None  # what is sent in the place of a listing
        self.file_status = []  # of the next downloads
        self.held = None  # an event that a cut download waits for before it ends

    def listed(self, repo):
        siblings = []
        for file, content in self.repos[repo].items():
            lfs = {"sha256": self.hashes.get(file, hashlib.sha256(content).hexdigest())}
            lfs |= {"size": len(content), "pointerSize": 134}
            siblings.append({"rfilename": file, "size": len(content), "lfs": lfs})
        return {"id": repo, "sha": COMMIT, "siblings": siblings, "private": False, "tags": [], "downloads": 0}


@contextmanager
def serving():
    """A hub and its address."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            path = self.path.split("?")[0]
            if path.startswith("/api/models/"):
                self.list(path.removeprefix("/api/models/"))
            elif hub.redirect and not path.startswith("/store"):
                self.reply(302, Location=f"http://localhost:{self.server.server_port}/store{path}")
            else:
                self.send_file(path.removeprefix("/store"))

        def reply(self, status, body=b"", cut=None, **headers):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:cut])

        def list(self, repo):
            status, code = hub.status.get(repo, (200 if repo in hub.repos else 401, "RepoNotFound"))
            if status != 200:
                self.reply(status, b"{}", X_Error_Code=code)
            else:
                self.reply(200, hub.listing or json.dumps(hub.listed(repo)).encode())

        def send_file(self, path):
            owner, repo, _, _, file = path.lstrip("/").split("/", 4)
            said = self.headers.get("Range")
            hub.asked.append((path, said, self.headers.get("Authorization")))
            cut = hub.cuts.pop(0) if hub.cuts else None
            if hub.file_status:
                self.reply(hub.file_status.pop(0))
                return
            if cut == 0:
                self.close_connection = True
                return
            if hub.page is not None:
                self.reply(200, hub.page, cut, Content_Type="text/html")
                return
            content = hub.repos[f"{owner}/{repo}"][file]
            start = int(said.removeprefix("bytes=").rstrip("-")) if said and hub.ranges else 0
            headers = {"Content_Type": "application/octet-stream"}
            if start:
                headers["Content_Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.reply(206 if start else 200, content[start:], cut, **headers)
            if cut is not None:
                self.close_connection = True
                if hub.held is not None:
                    hub.held.wait(60)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that hangs up
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
