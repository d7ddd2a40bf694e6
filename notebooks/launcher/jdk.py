"""The JDK that builds and runs the kernel. Also part of the wheel, beside stop.py and without the rest of this folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from stop import Stop

OLDEST = 17
ADVICE = (
    f"install a JDK {OLDEST} or newer (Debian and Ubuntu: apt install default-jdk-headless; macOS: brew install --cask temurin), "
    "or set JAVA_HOME to one"
)


def find():
    """The home of the first JDK that is good enough; Stop says what is wrong with the first one found."""
    wrong = None
    for java in candidates():
        home, fault = judge(java)
        if not fault:
            return home
        wrong = wrong or fault
    raise Stop(f"{wrong or 'no Java was found'}: {ADVICE}")


def candidates():
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"], "bin", "java")
    if on_path := shutil.which("java"):
        yield Path(on_path)
    chooser = Path("/usr/libexec/java_home")  # macOS
    if sys.platform == "darwin" and chooser.exists():
        chosen = subprocess.run([chooser, "-v", f"{OLDEST}+"], capture_output=True, text=True)
        if chosen.returncode == 0:
            yield Path(chosen.stdout.strip(), "bin", "java")


def judge(java):
    """(home, None), or (None, what is wrong)."""
    home = java.resolve().parent.parent
    release = home / "release"  # a JDK's description of itself: reading it is faster than two starts of a JVM
    if os.access(java, os.X_OK) and release.is_file():
        stated = dict(re.findall(r'^(JAVA_VERSION|MODULES)="(.*)"$', release.read_text(), re.MULTILINE))
        if len(stated) == 2:
            return verdict(home, stated["JAVA_VERSION"], stated["MODULES"].split())
    try:
        said = subprocess.run([java, "-XshowSettings:properties", "-version"], capture_output=True, text=True)
    except OSError as error:
        return None, f"{java} cannot be started ({error.strerror})"
    properties = dict(re.findall(r"^\s*(java\.\S+) = (.*)$", said.stderr, re.MULTILINE))
    if said.returncode or "java.home" not in properties:
        return None, f"{java} is not a working Java"  # among others the stub of a Mac without Java
    listed = subprocess.run([java, "--list-modules"], capture_output=True, text=True).stdout
    modules = [line.split("@")[0] for line in listed.splitlines()]
    return verdict(Path(properties["java.home"].strip()), properties["java.specification.version"].strip(), modules)


def verdict(home, version, modules):
    feature = int(re.match(r"(?:1\.)?(\d+)", version)[1])  # 8 calls itself 1.8
    if feature < OLDEST:
        return None, f"{home} is Java {feature}"
    if not (home / "bin" / "javac").exists() or "jdk.jshell" not in modules:
        return None, f"{home} is Java {feature} without its compiler and JShell: a runtime, not a JDK"
    return home, None
