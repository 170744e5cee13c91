"""Field types of requests: text without control characters, of bounded length."""

from typing import Annotated

from msgspec import Meta

PLAIN = r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*$"

Code64 = Annotated[str, Meta(max_length=64, pattern=PLAIN)]
Line20 = Annotated[str, Meta(min_length=1, max_length=20, pattern=PLAIN)]
Line64 = Annotated[str, Meta(min_length=1, max_length=64, pattern=PLAIN)]
Line100 = Annotated[str, Meta(min_length=1, max_length=100, pattern=PLAIN)]
Line200 = Annotated[str, Meta(min_length=1, max_length=200, pattern=PLAIN)]
Line300 = Annotated[str, Meta(min_length=1, max_length=300, pattern=PLAIN)]
Line500 = Annotated[str, Meta(min_length=1, max_length=500, pattern=PLAIN)]
Name = Annotated[str, Meta(min_length=1, max_length=100, description="1 to 50 characters of any script")]
Number = Annotated[str, Meta(min_length=1, max_length=64)]
Secret = Annotated[str, Meta(min_length=1, max_length=512, pattern=r"^[!-~]+$")]
Terminal = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[ -~]+$", description="Printable ASCII")]
