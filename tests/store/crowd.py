"""A desk with many threads, written straight into its tables: as a shop has them after some years; one word in ten is rare."""

import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

from deskmate.domain.search import indexed, wanted

QUEUES = ("support", "billing", "returns", "wholesale", "repairs")
KINDS = ("question", "approval", "escalation")
NOW = 1_790_000_000_000
HOUR = 3_600_000
COMMON = (
    "order", "parcel", "delivery", "address", "invoice", "refund", "tent", "stove", "lamp", "rope", "colour", "size", "broken",
    "late", "return", "price", "voucher", "account", "password", "question", "please", "thanks", "hello", "today", "tomorrow",
    "friend", "winter", "summer", "shop", "Lyon", "Basel", "receipt", "card", "payment",
)  # fmt: skip
"""Words that many messages have."""
Rows = dict[str, list[tuple[object, ...]]]
COLUMNS = {
    "customers": ("id", "name", "email", "created_at"),
    "operators": ("id", "name", "email", "role", "capacity", "presence", "created_at"),
    "threads": (
        "id", "customer", "subject", "status", "assignment", "holder", "holder_name", "assigned_at", "assignment_reason", "mode",
        "priority", "queue", "tags", "waiting_since", "event_seq", "preview_message", "preview_text", "preview_author_kind",
        "preview_author_name", "preview_visibility", "preview_at", "created_at", "updated_at",
    ),
    "messages": (
        "id", "thread", "order", "step", "role", "author_kind", "author_id", "author_name", "parts", "text", "visibility",
        "status", "created_at", "updated_at",
    ),
    "requests": (
        "id", "thread", "kind", "state", "question", "priority", "risk", "queue", "claimed_by", "claimed_name", "claimed_until",
        "expires_at", "on_expiry", "created_at", "updated_at",
    ),
    "searchable": ("message", "thread", "words"),
    "subject_words": ("thread", "word"),
    "customer_words": ("customer", "word"),
}  # fmt: skip


def crowd(number: int, *, messages: int = 3, seed: int = 7) -> Rows:
    """The rows of so many threads: 3 % wait in a queue, 2 % are held by operators (one for each 2,000), 5 % have a request that
    waits; of the rest two thirds are resolved, and the AI holds the others."""
    chance = random.Random(seed)
    rows: Rows = {table: [] for table in COLUMNS}
    operators = max(1, number // 2000)
    for place in range(operators):
        name = f"Operator {place}"
        rows["operators"].append((f"op_{place}", name, f"op{place}@shop.example", "operator", 50.0, "available", NOW))
    for place in range(number // 2 or 1):
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)} {place}"
        rows["customers"].append((f"cu_{place:06d}", name, f"c{place}@mail.example", NOW))
        rows["customer_words"] += [(f"cu_{place:06d}", word) for word in wanted(name)]
    for place in range(number):
        _thread(rows, chance, place, number, messages, operators)
    return rows


FIRST = (
    "Ada", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gil", "Hana", "Ida", "Jo", "Kim", "Lea", "Max", "Nia", "Ola", "Pia", "Quin",
    "Rosa", "Sam", "Tess", "Uma", "Vera", "Wes", "Xena", "Yan", "Zoe",
)  # fmt: skip
LAST = (
    "Abel", "Berg", "Costa", "Dupont", "Ems", "Frey", "Gross", "Holm", "Ito", "Jung", "Keller", "Lang", "Moser", "Nagy", "Ochs",
    "Pohl", "Roth", "Suter", "Tanner", "Ulm", "Vogt", "Wyss",
)  # fmt: skip


def _thread(rows: Rows, chance: random.Random, place: int, number: int, messages: int, operators: int) -> None:
    id, customer = f"th_{place:08d}{chance.getrandbits(64):016x}", f"cu_{chance.randrange(number // 2 or 1):06d}"
    began = NOW - (number - place) * 60_000
    share = place % 100
    status, holder, held, waiting = "open", "ai", None, None
    if share < 3:
        holder, waiting = "queue", began + HOUR
    elif share < 5:
        holder, held = "operator", f"op_{place // 100 % operators}"
    elif share >= 10 and share % 3:
        status = "resolved"
    queue = chance.choice(QUEUES) if share < 30 else None
    if share in (0, 1, 5, 6, 7):
        waiting = waiting or began + HOUR
        kind, claimed = chance.choices(KINDS, (6, 3, 1))[0], share == 7 and chance.random() < 0.5
        by = f"op_{chance.randrange(operators)}" if claimed else None
        rows["requests"].append((
            f"rq_{id}", id, kind, "claimed" if claimed else "open", "May I?", "normal", "high", queue, by, by,
            NOW if claimed else None, began + 24 * HOUR, "escalate", began + HOUR, began + HOUR,
        ))  # fmt: skip
    priority = chance.choices(("low", "normal", "high", "urgent"), (5, 85, 8, 2))[0]
    tags = [tag for tag, part in (("vip", 0.05), ("press", 0.002), ("returning", 0.3)) if chance.random() < part]
    subject = " ".join(_words(chance, 5))
    rows["subject_words"] += [(id, word) for word in wanted(subject)]
    text = ""
    for order in range(messages):
        text = " ".join(_words(chance, 12))
        role, author = ("user", "customer") if order % 2 == 0 else ("assistant", "agent")
        message = f"ms_{id[3:]}{order}"
        at = began + order * 1000
        rows["messages"].append((
            message, id, order, 0, role, author, customer if author == "customer" else "bot", author,
            json.dumps([{"type": "text", "text": text}]), text, "public", "success", at, at,
        ))  # fmt: skip
        rows["searchable"].append((message, id, indexed(text)))
    rows["threads"].append((
        id, customer, subject, status, holder, held or (queue if holder == "queue" else None), held, began, "so it is", "auto",
        priority, queue or ("support" if holder == "queue" else None), json.dumps(tags), waiting, 0,
        f"ms_{id[3:]}{messages - 1}", text, "customer", "Ada", "public", began + messages * 1000, began, began,
    ))  # fmt: skip


def _words(chance: random.Random, number: int) -> Iterator[str]:
    for _ in range(number):
        yield chance.choice(COMMON) if chance.random() < 0.9 else f"w{chance.getrandbits(18):05x}"


def fill(url: str, rows: Rows) -> None:
    """Write the rows into an empty store, without its triggers; what these keep is made at once, as a migration would."""
    if url.startswith("sqlite"):
        _fill_sqlite(url.removeprefix("sqlite:///"), rows)
    else:
        _fill_postgresql(url, rows)


_RELIST = """INSERT INTO listed (thread, list, status, newest, activity, waiting, priority, due)
SELECT thread, list, status, newest, activity, waiting, priority, due FROM listing"""


def _fill_sqlite(path: str, rows: Rows) -> None:
    with closing(sqlite3.connect(path)) as db:
        triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name <> 'relisted'").fetchall()
        triggers = [(name, sql) for name, sql in triggers if not name.startswith("searchable")]
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        for table, columns in COLUMNS.items():
            db.executemany(f"INSERT INTO {table} ({_named(columns)}) VALUES ({', '.join('?' * len(columns))})", rows[table])
        db.execute(_RELIST)
        for _, sql in triggers:
            db.execute(sql)
        db.commit()


def _fill_postgresql(url: str, rows: Rows) -> None:
    import psycopg

    with psycopg.connect(url) as db:
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute("CREATE TEMP TABLE said (message TEXT, thread TEXT, words TEXT)")
        for table, columns in COLUMNS.items():
            target = "said" if table == "searchable" else table
            with db.cursor().copy(f"COPY {target} ({_named(columns)}) FROM STDIN".encode()) as copy:
                for row in rows[table]:
                    copy.write_row(row)
        db.execute("INSERT INTO searchable SELECT message, thread, array_to_tsvector(string_to_array(words, ' ')) FROM said")
        db.execute(_RELIST)
        db.execute("DROP TABLE said")


def _named(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
