"""`fhir.resources.R4B` validating a report alone, in a process of its own.

`python -m tests.bench.records.library` reads a report, then one number a line: it validates so many times, and answers
each line with the seconds it took. `Library` speaks to it.
"""

import json
import subprocess
import sys
import time

from fhir.resources.R4B.diagnosticreport import DiagnosticReport


class Library:
    """The process, started once."""

    def __init__(self, report: str) -> None:
        command = [sys.executable, "-m", "tests.bench.records.library"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._tell(report)

    def _tell(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def rate(self, times: int) -> float:
        """Reports a second, of so many."""
        assert self._process.stdout
        self._tell(str(times))
        return times / float(self._process.stdout.readline())

    def stop(self) -> None:
        """End it."""
        self._process.communicate(timeout=10)


def main() -> None:
    """Serve until standard input ends."""
    parsed = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            DiagnosticReport.model_validate(parsed)
        sys.stdout.write(f"{time.perf_counter() - began}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
