"""Asks a URL over and over on a few connections, as wrk does, where there is no wrk; prints the line of drill.lua.

python examples/drill_load.py http://127.0.0.1:8000/api/orders --seconds 3 --connections 8
"""

import argparse
import asyncio
import time
from collections import Counter
from urllib.parse import urlsplit


class Tally:
    """What came back: statuses (0: no answer) and how long each took."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.took_s: list[float] = []

    def line(self) -> str:
        took = sorted(self.took_s) or [0.0]
        p50, p99 = (1000 * took[min(len(took) - 1, int(len(took) * share))] for share in (0.5, 0.99))
        words = [f"{status}x{count}" for status, count in sorted(self.statuses.items()) if status]
        if failed := self.statuses[0]:
            words.append(f"none x{failed}")
        return f"saw {sum(self.statuses.values())} {p50:.1f} {p99:.1f} {' '.join(words)}"


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    """One request on a connection that stays open; its status. Answers have a Content-Length."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or b"0"))
    return int(head.split()[1])


async def client(url: str, until: float, tally: Tally) -> None:
    """Asks until the time is over; a connection that breaks is made anew."""
    parts = urlsplit(url)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    while time.monotonic() < until:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            while (began := time.monotonic()) < until:
                tally.statuses[await ask(reader, writer, request)] += 1
                tally.took_s.append(time.monotonic() - began)
        except (OSError, EOFError):
            tally.statuses[0] += 1
            await asyncio.sleep(0.01)
        finally:
            if writer is not None:
                writer.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=8)
    arguments = parser.parse_args()
    tally, until = Tally(), time.monotonic() + arguments.seconds
    await asyncio.gather(*(client(arguments.url, until, tally) for _ in range(arguments.connections)))
    print(tally.line())


if __name__ == "__main__":
    asyncio.run(main())
