"""`python -m api.sandbox [--host 127.0.0.1] [--port N | --fd N]`: run the sandbox until it is told to stop."""

import argparse
import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from sanic import Sanic

from api.sandbox.app import create_sandbox
from api.sandbox.config import SandboxSecrets
from api.sandbox.pay_keys import PayKeys


def listen(host: str, port: int, fd: int | None) -> socket.socket:
    """The listening socket: the inherited one `fd`, or a new one (port 0: a free port)."""
    if fd is not None:
        return socket.socket(fileno=fd)
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((host, port))
    made.listen(100)
    return made


def main() -> None:
    """Run the sandbox. Accounts come from the service's settings (YIMA_WECHAT_APPID, …) where they are set."""
    parser = argparse.ArgumentParser(prog="python -m api.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fd", type=int, default=None, help="an inherited socket to serve on")
    options = parser.parse_args()
    sock = listen(options.host, options.port, options.fd)
    state = os.environ.get("YIMA_INTERNAL_SANDBOX_STATE")
    app = create_sandbox(
        secrets=SandboxSecrets.from_environment(os.environ),
        pay_keys=PayKeys.from_environment(os.environ),
        state=Path(state) if state else None,
        notify_host=urlsplit(os.environ.get("YIMA_PUBLIC_URL", "")).hostname,
    )
    app.prepare(sock=sock, single_process=True, access_log=False, motd=False)
    host, port = sock.getsockname()[:2]
    sys.stdout.write(f"sandbox http://{host}:{port}\n")
    sys.stdout.flush()
    Sanic.serve_single(app)


if __name__ == "__main__":
    main()
