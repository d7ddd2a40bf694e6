"""The JDK that builds and runs the kernel."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from place import Stop

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
    try:
        said = subprocess.run([java, "-XshowSettings:properties", "-version"], capture_output=True, text=True)
    except OSError as error:
        return None, f"{java} cannot be started ({error.strerror})"
    properties = dict(re.findall(r"^\s*(java\.\S+) = (.*)$", said.stderr, re.MULTILINE))
    if said.returncode or "java.home" not in properties:
        return None, f"{java} is not a working Java"  # among others the stub of a Mac without Java
    home, version = Path(properties["java.home"].strip()), properties["java.specification.version"].strip()
    feature = int(version.removeprefix("1.").split(".")[0])  # 8 calls itself 1.8
    if feature < OLDEST:
        return None, f"{home} is Java {feature}"
    modules = subprocess.run([java, "--list-modules"], capture_output=True, text=True).stdout
    if not (home / "bin" / "javac").exists() or "jdk.jshell@" not in modules:
        return None, f"{home} is Java {feature} without its compiler and JShell: a runtime, not a JDK"
    return home, None
