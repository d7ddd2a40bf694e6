"""Downloads and unpacks the Debian packages."""

import subprocess
from pathlib import Path


def fetch(work: Path, packages: list[str]) -> None:
    """Leaves work/debs/*.deb and work/x/PACKAGE/...; what is there already is not fetched again."""
    debs, unpacked = work / "debs", work / "x"
    debs.mkdir(parents=True, exist_ok=True)
    for package in packages:
        if not downloaded(debs, package):
            subprocess.run(["apt-get", "download", "-q", package], cwd=debs, check=False, capture_output=True)
        deb = downloaded(debs, package)
        if deb is None:
            raise SystemExit(f"corpus: apt-get could not download {package}: run apt-get update, and use Debian 12 (bookworm)")
        if not (unpacked / package).exists():
            (unpacked / package).mkdir(parents=True)
            subprocess.run(["dpkg-deb", "-x", deb, unpacked / package], check=True)


def downloaded(debs: Path, package: str) -> Path | None:
    """The newest file of the package."""
    return max(debs.glob(f"{package}_*.deb"), default=None)


def version(work: Path, package: str) -> str:
    """As Debian counts it, for the data card."""
    deb = downloaded(work / "debs", package)
    return subprocess.run(["dpkg-deb", "-f", deb, "Version"], check=True, capture_output=True, text=True).stdout.strip()
