"""The command line of notebooks/lab: prepares what is missing, then opens JupyterLab or runs a notebook."""

import argparse
import os
import subprocess
import sys

import environment
import jars
import jdk
import models
from place import NOTEBOOKS
from stop import Stop


class Options(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"lab: {message}: see ./notebooks/lab --help\n")


def options(arguments):
    parser = Options(
        prog="./notebooks/lab",
        allow_abbrev=False,
        description="Opens JupyterLab with the Espalier kernel. Builds the kernel, makes .venv and gets the small model first, where they are missing.",
        epilog="What comes after -- goes to JupyterLab: ./notebooks/lab -- --port 9999 --no-browser",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--setup", action="store_true", help="only prepare")
    what.add_argument("--run", action="store_true", help="run the notebook without a browser; exit 0 if every cell did")
    what.add_argument("--wheel", action="store_true", help="make a wheel that pip can install the kernel from elsewhere")
    parser.add_argument("--no-build", action="store_true", help="use the jars as they are")
    parser.add_argument("notebook", nargs="?", default="quickstart.ipynb", help="a file in notebooks/ (default: %(default)s)")
    own, jupyter = arguments, []
    if "--" in arguments:
        cut = arguments.index("--")
        own, jupyter = arguments[:cut], arguments[cut + 1 :]
    chosen = parser.parse_args(own)
    if jupyter and (chosen.setup or chosen.run or chosen.wheel):
        parser.error("options after -- are for JupyterLab, which --setup, --run and --wheel do not start")
    if not (NOTEBOOKS / chosen.notebook).is_file():
        parser.error(f"there is no notebook {NOTEBOOKS / chosen.notebook}")
    return chosen, jupyter


def prepare(build):
    java = jdk.find()
    if build:
        jars.build_missing(java)
    jars.check()
    environment.make()
    environment.install_kernel(java)
    jars.archive()
    models.SMOLLM2.get()


def main(arguments):
    chosen, jupyter = options(arguments)
    prepare(build=not chosen.no_build)
    os.environ.update(environment.variables())
    notebook = NOTEBOOKS / chosen.notebook
    if chosen.setup:
        models.GEMMA3.get()  # for the tests
        print("Ready: ./notebooks/lab opens JupyterLab.")
    elif chosen.wheel:
        print(f"pip install {environment.build_wheel()}")
    elif chosen.run:
        target = NOTEBOOKS / "target" / notebook.name
        done = subprocess.run([environment.PYTHON, NOTEBOOKS / "launcher" / "execute.py", notebook, target])
        return done.returncode
    else:
        os.chdir(NOTEBOOKS)
        # JupyterLab takes this process over, so that Ctrl-C is its own.
        os.execv(environment.PYTHON, [str(environment.PYTHON), "-m", "jupyterlab", str(notebook.relative_to(NOTEBOOKS)), *jupyter])
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.exit(f"lab: {stop}")
    except KeyboardInterrupt:
        print("\nlab: interrupted; run it again to resume", file=sys.stderr)
        sys.exit(130)
