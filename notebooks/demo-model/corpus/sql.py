"""Generated SQL of the domain `data`: statements about one of five tables."""

from random import Random

from .vocabulary import CITIES, NAMES, THINGS

TABLES = {
    "customers": {
        "id": "INTEGER PRIMARY KEY", "name": "VARCHAR(80) NOT NULL", "email": "VARCHAR(120)", "city": "VARCHAR(60)", "created_at": "TIMESTAMP",
    },
    "orders": {
        "id": "INTEGER PRIMARY KEY", "customer_id": "INTEGER REFERENCES customers(id)", "status": "VARCHAR(20)", "total": "DECIMAL(10,2)",
        "ordered_at": "DATE",
    },
    "products": {
        "id": "INTEGER PRIMARY KEY", "sku": "CHAR(10) UNIQUE", "title": "VARCHAR(120)", "price": "DECIMAL(8,2)", "stock": "INTEGER DEFAULT 0",
    },
    "sensors": {
        "id": "INTEGER PRIMARY KEY", "label": "VARCHAR(40)", "value": "DOUBLE PRECISION", "unit": "VARCHAR(8)", "read_at": "TIMESTAMP",
    },
    "employees": {
        "id": "INTEGER PRIMARY KEY", "name": "VARCHAR(80)", "department": "VARCHAR(40)", "salary": "DECIMAL(10,2)", "manager_id": "INTEGER",
    },
}  # fmt: skip
CHOICES = {
    "status": ["'open'", "'paid'", "'shipped'", "'cancelled'"],
    "department": ["'sales'", "'research'", "'support'", "'finance'"],
    "unit": ["'C'", "'hPa'", "'%'", "'lx'"],
}


def document(r: Random) -> str:
    table = r.choice(sorted(TABLES))
    columns = TABLES[table]
    names = list(columns)
    out = []
    if r.random() < 0.5:
        out.append(f"CREATE TABLE {table} (\n" + ",\n".join(f"    {name} {kind}" for name, kind in columns.items()) + "\n);")
    for _ in range(r.randint(2, 6)):
        statement, column = r.randrange(len(STATEMENTS)), r.choice(names[1:])
        out.append(STATEMENTS[statement](r, table, names, column))
    return "\n\n".join(out)


def insert(r: Random, table: str, names: list[str], column: str) -> str:
    chosen = [name for name in names if name == "id" or r.random() < 0.7]
    rows = ["    (" + ", ".join(value(r, name) for name in chosen) + ")" for _ in range(r.randint(1, 5))]
    return f"INSERT INTO {table} ({', '.join(chosen)}) VALUES\n" + ",\n".join(rows) + ";"


def select(r: Random, table: str, names: list[str], column: str) -> str:
    chosen = ", ".join(r.sample(names, r.randint(1, 4)))
    where = f"{column} {r.choice(['=', '<>', '>', '<'])} {value(r, column)}"
    order = f"{r.choice(names)}{r.choice(['', ' DESC'])}"
    return f"SELECT {chosen}\nFROM {table}\nWHERE {where}\nORDER BY {order}\nLIMIT {r.choice([5, 10, 20, 100])};"


def update(r: Random, table: str, names: list[str], column: str) -> str:
    return f"UPDATE {table} SET {column} = {value(r, column)} WHERE id = {r.randint(1, 9999)};"


def delete(r: Random, table: str, names: list[str], column: str) -> str:
    return f"DELETE FROM {table} WHERE {column} = {value(r, column)};"


def group(r: Random, table: str, names: list[str], column: str) -> str:
    least = r.randint(1, 20)
    return f"SELECT {column}, COUNT(*) AS n\nFROM {table}\nGROUP BY {column}\nHAVING COUNT(*) > {least}\nORDER BY n DESC;"


def join(r: Random, table: str, names: list[str], column: str) -> str:
    return (
        "SELECT c.name, SUM(o.total) AS revenue\nFROM customers c\nJOIN orders o ON o.customer_id = c.id\n"
        f"WHERE o.status = {value(r, 'status')}\n  AND c.city = {value(r, 'city')}\nGROUP BY c.name;"
    )


STATEMENTS = (insert, select, update, delete, group, join)


def value(r: Random, column: str) -> str:
    """A literal that fits the column."""
    if column in CHOICES:
        return r.choice(CHOICES[column])
    if column in ("id", "customer_id", "manager_id", "stock"):
        return str(r.randint(1, 9999))
    if column in ("total", "price", "salary", "value"):
        return f"{r.uniform(1, 5000):.2f}"
    if column == "name":
        return f"'{r.choice(NAMES)} {r.choice(NAMES)}son'"
    if column == "email":
        return f"'{r.choice(NAMES).lower()}{r.randint(1, 99)}@example.org'"
    if column == "city":
        return f"'{r.choice(CITIES)}'"
    if column == "ordered_at":
        return f"'{date(r)}'"
    if column.endswith("_at"):
        return f"'{date(r)} {r.randint(0, 23):02}:{r.randint(0, 59):02}:00'"
    if column == "sku":
        return f"'{r.choice('ABCDEF')}{r.choice('GHJK')}-{r.randint(100000, 999999)}'"
    return f"'{r.choice(THINGS)}'"


def date(r: Random) -> str:
    return f"{r.randint(2015, 2025)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}"
