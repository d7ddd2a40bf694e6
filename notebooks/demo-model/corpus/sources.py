"""Which packages each domain reads, under which licences, and what was left out and why.

All packages are in Debian 12 *main*. The text itself is never distributed, only read here. The rule for what may be read: licences that
could all be met at once by one work, so that nothing asks of the weights what another licence forbids. Permissive licences, MPL-2.0,
LGPL and GPL "version 2 (or 3) or later" are such; the JDK's GPL-2 with Classpath exception is the one exception, and is named in the
data card.
"""

import re

DOMAINS = ("en", "de", "fr", "es", "java", "python", "math", "data")

PROSE: dict[str, tuple[str, ...]] = {
    "en": (
        "aptitude-doc-en", "debian-edu-doc-en", "debian-handbook", "debian-reference-en", "developers-reference",
        "libreoffice-help-en-us", "maint-guide", "manpages", "manpages-dev", "postgresql-doc-15", "python3.11-doc",
    ),
    "de": (
        "debian-edu-doc-de", "debian-handbook", "debian-reference-de", "developers-reference-de", "libreoffice-help-de",
        "manpages-de", "manpages-de-dev",
    ),
    "fr": (
        "aptitude-doc-fr", "debian-edu-doc-fr", "debian-handbook", "debian-reference-fr", "developers-reference-fr",
        "libreoffice-help-fr", "maint-guide-fr", "manpages-fr", "manpages-fr-dev",
    ),
    "es": (
        "aptitude-doc-es", "debian-edu-doc-es", "debian-handbook", "debian-reference-es", "libreoffice-help-es",
        "maint-guide-es", "manpages-es", "manpages-es-dev",
    ),
}  # fmt: skip
JAVA = "openjdk-17-source"
PYTHON = ("libpython3.11-stdlib", "python3-django", "python3-mpmath", "python3-numpy", "python3-sympy")
RECORDS = "iso-codes"

# What each package's copyright file says of the files that are read here, by the start of the package's name.
LICENCES = {
    "aptitude-doc": "GPL-2+",
    "debian-edu-doc": "GPL-2+, GPL-3+",
    "debian-handbook": "GPL-2+ (offered beside CC-BY-SA-3.0)",
    "debian-reference": "GPL-2+",
    "developers-reference": "GPL-2+",
    "iso-codes": "LGPL-2.1+",
    "libpython3.11": "PSF-2.0",
    "libreoffice-help": "MPL-2.0",
    "maint-guide": "GPL-2+",
    "manpages": "GPL-1+/2+/3+, BSD-3-Clause, MIT, public domain (other pages are left out)",
    "openjdk-17": "GPL-2 with Classpath exception; some files Apache-2.0, BSD or public domain (files without such a header are left out)",
    "postgresql-doc": "PostgreSQL",
    "python3-django": "BSD-3-Clause",
    "python3-mpmath": "BSD-3-Clause",
    "python3-numpy": "BSD-3-Clause",
    "python3-sympy": "BSD-3-Clause",
    "python3.11-doc": "PSF-2.0",
}

LEFT_OUT = {
    "gimp-help-*": "GFDL-1.2+: asks for title pages, histories and unchanged sections, which weights cannot carry",
    "debian-faq*": "its own notice: the entire derived work has to carry an identical permission notice",
    "gnome-user-docs": "CC-BY-SA-3.0 alone, which does not go together with the GPL",
    "installation-guide-amd64, git-doc": "GPL-2 alone, which does not go together with GPL-3+",
    "single manual pages": "Linux-man-pages-copyleft and other verbatim notices, BSD-4-Clause (advertising), GPL-2 alone, GFDL",
    "single Java files": "no licence header that names an exception, Apache-2.0, BSD or the public domain",
}

# In a manual page's comments.
MANUAL_PAGE_REFUSED = re.compile(
    r"Linux-man-pages-copyleft|VERBATIM|verbatim copies|BSD-4-Clause|BSD_4_CLAUSE|Free Documentation License|GFDL"
    r"|GPL-2\.0-only|PERMISSIVE_MISC|ONELINE_CDROM",
    re.I,
)
# In the comments before a Java file's package line.
JAVA_ACCEPTED = re.compile(r"Classpath|Apache License|public\s+domain|Redistribution and use", re.I)


def packages() -> list[str]:
    """Every package, sorted."""
    return sorted({*(name for names in PROSE.values() for name in names), JAVA, *PYTHON, RECORDS})


def licence(package: str) -> str:
    """Of the longest matching start of the name."""
    return LICENCES[max((start for start in LICENCES if package.startswith(start)), key=len)]
