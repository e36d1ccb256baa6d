"""SQLAlchemy: echo, which sets up a handler of its own, the pool's log, logging_name."""
# requires: sqlalchemy==2.1.9
# mask: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ => time
# mask: \[(generated|cached since|no key|caching disabled)[^]]*\] => [\1]

import logging
import sys

import sqlalchemy as sa

pass  # late install
sys.stderr = sys.stdout
engine = sa.create_engine("sqlite://", echo="debug", echo_pool="debug", logging_name="shop", pool_logging_name="pool")
table = sa.Table("orders", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("what", sa.String))
table.metadata.create_all(engine)
with engine.begin() as connection:
    connection.execute(table.insert(), [{"what": "one"}, {"what": "two"}])
    print(connection.execute(sa.select(table).where(table.c.what == "two")).all())
try:
    with engine.connect() as connection:
        connection.exec_driver_sql("nonsense")
except sa.exc.OperationalError as error:
    logging.getLogger("sqlalchemy.engine").error("failed: %s", type(error.orig).__name__)
engine.dispose()
