"""The JDKs of this machine: the one that the kernel is installed with, and the newest."""

import re
from pathlib import Path

PLACES = ("/usr/lib/jvm/*", "/Library/Java/JavaVirtualMachines/*/Contents/Home", "/opt/java/*")
NEWER_THAN = 21


def newest():
    """(version, java) of the newest JDK in the usual places; (0, "") without one."""
    found = []
    for place in PLACES:
        root, _, pattern = place.partition("*")
        for home in Path(root).glob("*" + pattern) if Path(root).is_dir() else ():
            release = home / "release"
            version = re.search(r'JAVA_VERSION="(\d+)', release.read_text()) if release.is_file() else None
            if version and (home / "bin" / "javac").exists():
                found.append((int(version[1]), str(home / "bin" / "java")))
    return max(found, default=(0, ""))
