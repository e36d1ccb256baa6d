"""Celery: a worker with its own logging set-up and a task that logs, over the in-memory transport."""
# requires: celery==5.7.0
# mask: \[[0-9a-f]{8}-[0-9a-f-]+\] => [id]
# mask: succeeded in [\d.e-]+s => succeeded in ?s
# mask: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ => time
# mask: celery@\S+|gen\d+@\S+ => celery@host

import logging
import sys

from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.utils.log import get_task_logger

app = Celery("shop", broker="memory://", backend="cache+memory://")
app.conf.worker_hijack_root_logger = True
app.conf.worker_redirect_stdouts = False
log = get_task_logger("shop.tasks")


@app.task(name="shop.pay")
def pay(order):
    log.info("order %d", order)
    if order == 3:
        raise ValueError("no such order")
    return order * 2


app.log.setup(loglevel=logging.INFO, logfile=None, redirect_stdouts=False)
for handler in logging.root.handlers:
    handler.stream = sys.stdout
pass  # late install
with start_worker(app, perform_ping_check=False, pool="solo", loglevel="INFO"):
    for order in (1, 2, 3):
        try:
            print(pay.delay(order).get(timeout=60))
        except ValueError as error:
            print("raised", error)
