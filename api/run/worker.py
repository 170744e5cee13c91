"""One worker: `python -m api.run.worker --fd N --ready M`, started by the supervisor on its listening socket."""

import argparse
import contextlib
import os
import socket
from typing import Any

from sanic import Sanic

from api.app import create_app
from api.logs import configure
from api.run.root_key import read_root_key
from api.services import make_services
from api.settings import read_settings
from api.web.protocol import TimedProtocol


def main() -> None:
    """Serve until SIGTERM; a byte on the `--ready` pipe says when."""
    parser = argparse.ArgumentParser(prog="python -m api.run.worker", description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--ready", type=int, required=True)
    options = parser.parse_args()
    settings = read_settings()
    configure(settings.log_level, settings.log_format)
    services = make_services(settings, read_root_key(settings.root_key))
    app = create_app(services)

    async def say_ready(_: Sanic[Any, Any]) -> None:
        with contextlib.suppress(OSError):  # nobody waits for a replaced worker
            os.write(options.ready, b"1")
            os.close(options.ready)

    app.after_server_start(say_ready)
    sock = socket.socket(fileno=options.fd)
    app.prepare(sock=sock, protocol=TimedProtocol, single_process=True, access_log=False, motd=False)
    Sanic.serve_single(app)


if __name__ == "__main__":
    main()
