"""Write one row a patient from a database in the OMOP common data model, as Parquet.

python extract.py omop.duckdb diabetes.sql patients.parquet 2027-01-31
"""

import sys
from pathlib import Path

import duckdb


def main(database: str, query: str, out: str, today: str) -> None:
    """Ask the database, which stays as it is, and write the rows."""
    with duckdb.connect(database, read_only=True) as db:
        found = db.sql(Path(query).read_text(encoding="utf-8"), params={"today": today})
        found.write_parquet(out)
        count = len(found)
        print(f"{count} rows, columns {', '.join(found.columns)}, in {out}")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: python extract.py DATABASE QUERY.sql OUT.parquet TODAY")
    main(*sys.argv[1:])
