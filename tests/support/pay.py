"""WeChat Pay's keys for tests: one set for each process, made when first asked for."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from api.sandbox.pay_keys import make_pay_keys


@cache
def pay_folder() -> Path:
    """The folder of the keys, as `make_pay_keys` writes them."""
    folder = Path(tempfile.mkdtemp(prefix="yima-test-pay-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make_pay_keys(folder)
    return folder
