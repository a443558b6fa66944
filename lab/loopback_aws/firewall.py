# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drops new connections to a listening process, as a security group does: silently, and without cutting those that stand.

A filter on the listening socket drops the packets of the handshake (socket(7), SO_ATTACH_FILTER); sockets that were
accepted before are others and stay as they are. The lab reaches the socket with pidfd_getfd(2), Linux 5.6.
"""

from __future__ import annotations

import ctypes
import os
import pathlib
import socket
import struct

SYS_PIDFD_GETFD = 438  # the same number on every architecture
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
BPF_RET_K = 0x06  # "return k": how many bytes of the packet to keep


def drop_new_connections(pid: int, address: str, port: int, *, drop: bool) -> None:
    """Start (`drop`) or stop dropping new connections to `address`:`port`, on which process `pid` listens.

    :raises OSError: the process does not listen there, or the kernel does not let us have its socket.
    """
    with listener(pid, address, port) as found:
        if drop:
            keep_nothing = ctypes.create_string_buffer(struct.pack("HBBI", BPF_RET_K, 0, 0, 0))
            found.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(keep_nothing)))
        else:
            found.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def listener(pid: int, address: str, port: int) -> socket.socket:
    """Our own handle on the socket with which `pid` listens on `address`:`port`.

    :raises OSError: there is none, or the kernel does not let us have it.
    """
    library = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    try:
        for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            try:
                if not os.readlink(entry).startswith("socket:"):
                    continue
            except FileNotFoundError:  # closed while we looked
                continue
            descriptor = library.syscall(SYS_PIDFD_GETFD, process, int(entry.name), 0)
            if descriptor < 0:
                raise OSError(ctypes.get_errno(), "pidfd_getfd")
            found = socket.socket(fileno=descriptor)
            if found.family == socket.AF_INET and found.getsockname() == (address, port):
                return found
            found.close()
    finally:
        os.close(process)
    raise OSError(f"process {pid} does not listen on {address}:{port}")
