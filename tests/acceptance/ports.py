"""Ports of this machine, for the desks of tests."""

import socket


def open_port() -> socket.socket:
    """A port that takes connections from now on: whoever knocks before a server is ready waits at the door.

    It says that it speaks TCP. asyncio lets sockets that do not hold small pieces back, and each answer then comes 40 ms late.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(512)
    return listening
