"""How many bytes a store keeps for how many words."""

import contextlib
import random
import sqlite3

VOCABULARY = ["".join(random.Random(n).choices("etaoinsrhldcu", k=random.Random(-n).randint(2, 9))) for n in range(3000)]


def words(size: int, *, seed: int) -> str:
    """Words that differ from message to message, of a vocabulary like that of a shop."""
    chance = random.Random(seed)
    text = " ".join(VOCABULARY[min(int(chance.expovariate(0.004)), len(VOCABULARY) - 1)] for _ in range(size // 4))
    return text[:size].strip()


def stored_bytes(url: str) -> int:
    """Bytes that the data occupies, of a desk that is closed."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return db.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").fetchone()[0]
    import psycopg

    with psycopg.connect(url, autocommit=True) as db:
        row = db.execute(
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchone()
    assert row is not None
    return int(row[0])
