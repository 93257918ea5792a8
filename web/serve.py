"""Serves a folder on this machine, with the types that modules and WebAssembly need.

    python3 web/serve.py FOLDER [PORT]
"""

import functools
import http.server
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *request):
        # A page need not read a file to its end.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*request)


def server(folder, port=0):
    """A server of the folder, on any free port if `port` is 0."""
    return Server(("127.0.0.1", port), functools.partial(Handler, directory=folder))


if __name__ == "__main__":
    folder, *port = sys.argv[1:]
    try:
        serving = server(folder, int(port[0]) if port else 8080)
    except OSError:
        # The port is taken.
        serving = server(folder)
    print(f"open  http://127.0.0.1:{serving.server_port}/  (Ctrl-C ends)", flush=True)
    try:
        serving.serve_forever()
    except KeyboardInterrupt:
        pass
