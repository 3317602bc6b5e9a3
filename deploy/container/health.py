"""Ends with 0 if the page at an address answers with 200, and says otherwise what it answers."""

import sys
from urllib.error import HTTPError
from urllib.request import urlopen

try:
    with urlopen(sys.argv[1], timeout=4) as answer:
        print(answer.read().decode())
except HTTPError as error:
    sys.exit(f"{error.code}: {error.read().decode()}")
except OSError as error:
    sys.exit(str(error))
