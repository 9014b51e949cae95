"""I: `warmly.py ADDRESS PROGRAM ARGUMENT…` runs a program of Python as a fork of the process that waits there (`warm`).

It has this process's input, output, environment and folder, and ends as that one does. It imports next to nothing, so
that it begins in milliseconds.
"""

import json
import os
import socket
import sys


def main(address: str, program: list[str]) -> int:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [b"."], [0, 1, 2])
        command = [program, dict(os.environ), os.getcwd(), False]  # noqa: PTH109 - pathlib takes its time
        connection.sendall(json.dumps(command).encode() + b"\n")
        with connection.makefile() as told:
            told.readline()
            return int(told.readline())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
