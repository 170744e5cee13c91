"""`yima serve`: the service for real, against configured systems outside."""

import os

from api.logs import configure
from api.run.root_key import read_root_key
from api.run.supervisor import check_database, listen, run, running
from api.services import make_services
from api.settings import check_for_production, read_settings


def main() -> int:
    """Serve until SIGTERM; refuses settings that would hurt somebody, and a database of another version."""
    return run(_serve)


async def _serve() -> None:
    settings = read_settings()
    configure(settings.log_level, settings.log_format)
    check_for_production(settings)
    root = read_root_key(settings.root_key)
    make_services(settings, root)  # what every worker would refuse is said once, here
    async with running(settings) as (supervisor, url):
        await check_database(url, root)
        sock = listen(settings.host, settings.port)
        # Children get the address by their environment, which only the same user can read.
        os.environ["YIMA_DATABASE_URL"] = url
        await supervisor.start_workers(sock, {"YIMA_ROOT_KEY_FILE": str(settings.root_key.resolve())})
        await supervisor.run()
        sock.close()
