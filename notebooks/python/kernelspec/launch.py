"""Starts the kernel whose jar lies beside this file, with the first JDK that is good enough: launch.py CONNECTION_FILE."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import jdk
from stop import Stop

JAR = Path(__file__).resolve().parent / "espalier-kernel.jar"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "espalier")


def command(home):
    """
    The kernel's own command for this JDK. The jar knows its options and makes a class archive, with which it starts faster: it is asked
    once to install itself into a cache, at the first start without the archive, which follows in the background.
    """
    java = Path(home, "bin", "java")
    prefix = CACHE / hashlib.sha256(str(JAR).encode()).hexdigest()[:16]
    made, recipe = prefix / "made-from", f"{home} {JAR.stat().st_mtime_ns} {JAR.stat().st_size}"
    install = [java, "-jar", JAR, "--install", "--prefix", prefix]
    if not made.is_file() or made.read_text() != recipe:
        done = subprocess.run([*install, "--no-archive"], stdout=subprocess.DEVNULL)  # its reasons go to stderr
        if done.returncode:
            return [str(java), "-jar", str(JAR), "{connection_file}"]
        made.write_text(recipe)
        quiet = {stream: subprocess.DEVNULL for stream in ("stdin", "stdout", "stderr")}
        subprocess.Popen(install, start_new_session=True, **quiet)
    return json.loads((prefix / "share" / "jupyter" / "kernels" / "espalier" / "kernel.json").read_text())["argv"]


def main(connection_file):
    arguments = [connection_file if word == "{connection_file}" else word for word in command(jdk.find())]
    if os.name == "nt":  # its exec starts another process and ends this one, which Jupyter takes for the kernel's end
        return subprocess.call(arguments)
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except Stop as stop:
        sys.exit(f"espalier: the kernel cannot start: {stop}")
