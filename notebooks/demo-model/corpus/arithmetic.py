"""Generated documents of the domain `math`: each a list of exercises of one kind, solved.

The order in which random numbers are drawn is part of the corpus: a change here changes every document after it.
"""

from random import Random

from .vocabulary import NAMES, THINGS


def document(r: Random) -> str:
    return KINDS[r.randrange(len(KINDS))](r)


def sums(r: Random) -> str:
    digits, lines = r.choice([2, 2, 3, 4]), []
    for _ in range(r.randint(8, 24)):
        a, b = r.randrange(10 ** r.randint(1, digits)), r.randrange(10 ** r.randint(1, digits))
        sign = r.choice("+-*" if digits < 4 else "+-")
        lines.append(f"{a} {sign} {b} = {a + b if sign == '+' else a - b if sign == '-' else a * b}")
    return "\n".join(lines)


def word_problems(r: Random) -> str:
    problems = []
    for _ in range(r.randint(3, 7)):
        name, thing, a, b = r.choice(NAMES), r.choice(THINGS), r.randint(2, 60), r.randint(2, 40)
        other = r.choice([candidate for candidate in NAMES if candidate != name])
        c = r.randint(1, a)
        question, answer = r.choice(
            [
                (
                    f"{name} has {a} {thing}. {other} gives {name} {b} more. How many {thing} does {name} have now?",
                    f"{a} + {b} = {a + b}. {name} has {a + b} {thing}.",
                ),
                (
                    f"{name} has {a} {thing} and gives {c} of them to {other}. How many {thing} are left?",
                    f"{a} - {c} = {a - c}. {a - c} {thing} are left.",
                ),
                (
                    f"{name} buys {b} boxes with {c} {thing} each. How many {thing} is that in total?",
                    f"{b} * {c} = {b * c}. That is {b * c} {thing} in total.",
                ),
                (
                    f"{name} shares {b * c} {thing} equally between {b} friends. How many does each friend get?",
                    f"{b * c} / {b} = {c}. Each friend gets {c} {thing}.",
                ),
                (
                    f"{name} has {a} {thing}, {other} has {b} times as many. How many do they have together?",
                    f"{a} * {b} = {a * b}. {a} + {a * b} = {a + a * b}. Together they have {a + a * b} {thing}.",
                ),
            ]
        )
        problems.append(f"Question: {question}\nAnswer: {answer}")
    return "\n\n".join(problems)


def equations(r: Random) -> str:
    solved = []
    for _ in range(r.randint(4, 10)):
        a, x, b = r.randint(2, 12), r.randint(-20, 20), r.randint(-50, 50)
        c = a * x + b
        plus, minus = ("+", "-") if b >= 0 else ("-", "+")
        solved.append(f"Solve {a}x {plus} {abs(b)} = {c}.\n{a}x = {c} {minus} {abs(b)} = {c - b}\nx = {c - b} / {a} = {x}")
    return "\n\n".join(solved)


def sequences(r: Random) -> str:
    start, step, n = r.randint(0, 50), r.randint(1, 15), r.randint(8, 20)
    kind = r.choice(["arithmetic", "geometric", "squares"])
    if kind == "arithmetic":
        terms = [start + step * i for i in range(n)]
    elif kind == "geometric":
        terms = [(start % 5 + 1) * (step % 3 + 2) ** i for i in range(min(n, 10))]
    else:
        terms = [(start + i) ** 2 for i in range(n)]
    return f"Sequence ({kind}): {', '.join(map(str, terms))}\nSum of the first {len(terms)} terms: {sum(terms)}"


def table(r: Random) -> str:
    n = r.randint(2, 19)
    rows = [f"{n} * {i} = {n * i}" for i in range(1, r.choice([10, 12, 15]) + 1)]
    return f"Multiplication table of {n}\n" + "\n".join(rows)


def brackets(r: Random) -> str:
    lines = []
    for _ in range(r.randint(5, 14)):
        a, b, c = r.randint(1, 30), r.randint(1, 30), r.randint(1, 12)
        difference = a - b if a >= b else f"({a - b})"
        lines.append(
            r.choice(
                [
                    f"({a} + {b}) * {c} = {a + b} * {c} = {(a + b) * c}",
                    f"{a} + {b} * {c} = {a} + {b * c} = {a + b * c}",
                    f"{a} * {c} - {b} = {a * c} - {b} = {a * c - b}",
                    f"{c} * ({a} - {b}) = {c} * {difference} = {c * (a - b)}",
                ]
            )
        )
    return "\n".join(lines)


def percentages(r: Random) -> str:
    lines = []
    for _ in range(r.randint(4, 10)):
        share, value = r.choice([5, 10, 15, 20, 25, 30, 40, 50, 75]), r.randint(1, 60) * 20
        lines.append(f"{share}% of {value} = {value} * {share} / 100 = {value * share / 100:g}")
    return "\n".join(lines)


def remainders(r: Random) -> str:
    lines = []
    for _ in range(r.randint(4, 10)):
        a, b = r.randint(10, 999), r.randint(2, 30)
        lines.append(f"{a} divided by {b}: quotient {a // b}, remainder {a % b}, because {b} * {a // b} + {a % b} = {a}.")
    return "\n".join(lines)


KINDS = (sums, word_problems, equations, sequences, table, brackets, percentages, remainders)
