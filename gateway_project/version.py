"""P: The version, for the package and for what the gateway says of itself; the build reads this file, too."""

from typing import Final

VERSION: Final = "0.1.0"
