"""OpenStack's Keystone behind a plain WSGI server, for the tests: ``keystone_server.py CONFIG PORT``."""

import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from keystone.server.flask.core import initialize_application


class Server(ThreadingMixIn, WSGIServer):
    """Answer each request in a thread."""

    daemon_threads = True


class Handler(WSGIRequestHandler):
    """Say nothing."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


config, port = sys.argv[1:]
del sys.argv[1:]  # Keystone reads them, too
application = initialize_application("public", config_files=[config])
make_server("127.0.0.1", int(port), application, Server, Handler).serve_forever()
