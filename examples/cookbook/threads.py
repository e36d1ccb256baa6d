"""Several threads log at once: no line is torn, each says which thread it is from."""

import logging
import os
import threading

logging.basicConfig(filename="threads.log", level=logging.INFO, format="%(threadName)s %(message)s")
log = logging.getLogger("threads")
together = threading.Barrier(3)


def work():
    together.wait()
    for step in range(100):
        log.info("step %d of %d", step, 100)


threads = [threading.Thread(target=work, name=f"worker-{number}") for number in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with open("threads.log") as file:
    lines = file.read().splitlines()
os.remove("threads.log")
print(len(lines), len(set(lines)), sorted({line.split()[0] for line in lines}))
for name in ("worker-0", "worker-1", "worker-2"):
    print(name, [line for line in lines if line.startswith(name)] == [f"{name} step {step} of 100" for step in range(100)])

# prints:
# 300 300 ['worker-0', 'worker-1', 'worker-2']
# worker-0 True
# worker-1 True
# worker-2 True
