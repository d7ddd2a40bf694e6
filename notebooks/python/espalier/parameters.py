"""
Parameters of papermill as Java: importing this module registers a translator for the language. A parameter has the type of its value:
int, long, BigInteger, double, boolean, String, List, Map, or Object for None; the elements of a list or dict share the narrowest type
that holds all of them.
"""

import math
import re

from papermill.engines import NBClientEngine as Engine  # noqa: F401  what the entry point names: papermill's own engine
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

NAME = re.compile(r"[A-Za-z_$][\w$]*")
RESERVED = set(
    "abstract assert boolean break byte case catch char class const continue default do double else enum extends false final finally "
    "float for goto if implements import instanceof int interface long native new null package private protected public return short "
    "static strictfp super switch synchronized this throw throws transient true try void volatile while _".split()
)
DECLARATION = re.compile(r"^\s*(?:final\s+)?([\w.$]+(?:<.*>)?(?:\[\])*)\s+([A-Za-z_$][\w$]*)\s*=\s*(.*?);\s*(?://\s*(.*))?$")
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
LITERAL = 10_000  # characters: a string constant of a class file holds 65,535 bytes
BOXES = {"int": "Integer", "long": "Long", "double": "Double", "boolean": "Boolean"}
NUMBERS = ("int", "long", "BigInteger")  # each holds the values of those before it


def java_type(value):
    if value is None:
        return "Object"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if -(2**31) <= value < 2**31 else "long" if -(2**63) <= value < 2**63 else "BigInteger"
    if isinstance(value, float):
        return "double"
    if isinstance(value, str):
        return "String"
    if isinstance(value, dict):
        return f"Map<String, {element_type(value.values())}>"
    if isinstance(value, (list, tuple)):
        return f"List<{element_type(value)}>"
    raise TypeError(f"a parameter of {type(value)} has no Java form: expected None, bool, int, float, str, list or dict")


def element_type(values):
    types = {java_type(value) for value in values if value is not None}
    if types and types <= set(NUMBERS):
        types = {max(types, key=NUMBERS.index)}
    elif types and types <= {*NUMBERS, "double"}:
        types = {"double"}
    only = types.pop() if len(types) == 1 else "Object"
    return BOXES.get(only, only)


def java(value, wanted=None):
    """The Java expression of a value; wanted is the element type of what it lies in."""
    if value is None:
        return "null"
    kind = wanted if wanted not in (None, "Object") else java_type(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)) and kind in ("double", "Double"):
        return double(float(value))
    if isinstance(value, int):
        return {"int": "{}", "Integer": "{}", "long": "{}L", "Long": "{}L"}.get(kind, 'new BigInteger("{}")').format(value)
    if isinstance(value, str):
        return string(value)
    inner = kind[kind.index("<") + 1 : -1]
    if isinstance(value, dict):
        inner = inner.removeprefix("String, ")
        puts = " ".join(f"put({string(key)}, {java(element, inner)});" for key, element in value.items())
        # Copied, so that the map is a plain one that keeps the order, holds null, and hangs on no class of the cell.
        return f"new LinkedHashMap<String, {inner}>(new LinkedHashMap<String, {inner}>() {{{{ {puts} }}}})"
    elements = ", ".join(java(element, inner) for element in value)
    if len(value) == 1 and value[0] is None:
        elements = f"({inner}) null"  # else null would be the array of the elements
    return f"new ArrayList<{inner}>(Arrays.<{inner}>asList({elements}))"


def double(value):
    if math.isnan(value):
        return "Double.NaN"
    if math.isinf(value):
        return "Double.POSITIVE_INFINITY" if value > 0 else "Double.NEGATIVE_INFINITY"
    return repr(value)


def string(text):
    if not isinstance(text, str):
        raise TypeError(f"the key {text!r} of a dict is no string, and a Java parameter has string keys only")
    if len(text) <= LITERAL:
        return f'"{"".join(map(escaped, text))}"'
    parts = (text[start : start + LITERAL] for start in range(0, len(text), LITERAL))
    return f'String.join("", {", ".join(map(string, parts))})'


def escaped(character):
    if character in ESCAPES:
        return ESCAPES[character]
    return character if character.isprintable() else "".join(f"\\u{unit:04x}" for unit in code_units(character))


def code_units(character):
    encoded = character.encode("utf-16-be", "surrogatepass")
    return (int.from_bytes(encoded[at : at + 2], "big") for at in range(0, len(encoded), 2))


class JavaTranslator(Translator):
    @classmethod
    def translate(cls, val):
        return java(val)

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}"

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        lines = [cls.comment(comment)]
        for name, value in parameters.items():
            if not NAME.fullmatch(name) or name in RESERVED:
                raise ValueError(f"the parameter {name!r} cannot be a variable of Java")
            lines.append(f"{java_type(value)} {name} = {java(value)};")
        return "\n".join(lines) + "\n"

    @classmethod
    def inspect(cls, parameters_cell):
        """The declarations of the cell tagged parameters, so that papermill can list them and name a parameter that it does not have."""
        found = (DECLARATION.match(line) for line in parameters_cell.source.splitlines())
        return [Parameter(name=d[2], inferred_type_name=d[1], default=d[3], help=d[4] or "") for d in found if d]


papermill_translators.register("java", JavaTranslator)
