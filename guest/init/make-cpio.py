#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Write the guest's initramfs: a newc cpio archive with /init, two device nodes, empty directories.

Usage: make-cpio.py INIT OUTPUT

The bytes depend on INIT alone: no times, no owners, inode numbers by position. No privileges needed.
"""
import stat
import sys

DIRECTORIES = ["dev", "files", "layer", "proc", "root", "sys", "upper"]
DEVICES = [("dev/console", 0o600, 5, 1), ("dev/null", 0o666, 1, 3)]


def padded(data):
    return data + b"\0" * (-len(data) % 4)


def entry(ino, name, mode, data=b"", major=0, minor=0):
    fields = [ino, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name) + 1, 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return padded(header + name.encode() + b"\0") + padded(data)


def archive(init):
    entries = [(name, stat.S_IFDIR | 0o755, b"", 0, 0) for name in DIRECTORIES]
    entries += [(name, stat.S_IFCHR | mode, b"", major, minor) for name, mode, major, minor in DEVICES]
    entries += [("init", stat.S_IFREG | 0o755, init, 0, 0)]
    data = b"".join(entry(ino, *fields) for ino, fields in enumerate(entries, 1))
    return data + entry(0, "TRAILER!!!", 0)


def main():
    with open(sys.argv[1], "rb") as source:
        init = source.read()
    with open(sys.argv[2], "wb") as output:
        output.write(archive(init))


main()
