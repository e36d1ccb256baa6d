"""Many processes, one file: each puts its records into a queue, one listener writes; the configuration is the listener's."""

import logging
import logging.handlers
import multiprocessing


def work(waiting, name):
    root = logging.getLogger()
    root.handlers[:] = [logging.handlers.QueueHandler(waiting)]
    root.setLevel(logging.DEBUG)
    logging.getLogger(f"work.{name}").info("begins")
    try:
        raise ValueError(name)
    except ValueError:
        logging.getLogger(f"work.{name}").exception("fails")


class Dispatch:
    """A handler for the listener that hands a record to the logger of its name here: levels and handlers are decided here."""

    def handle(self, record):
        log = logging.getLogger(record.name)
        if log.isEnabledFor(record.levelno):
            log.handle(record)


if __name__ == "__main__":
    logging.basicConfig(filename="all.log", format="%(processName)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    context = multiprocessing.get_context("fork")
    waiting = context.Queue()
    listener = logging.handlers.QueueListener(waiting, Dispatch())
    processes = [context.Process(target=work, args=(waiting, name), name=f"p-{name}") for name in ("a", "b")]
    for process in processes:
        process.start()
        process.join()
    listener.start()
    listener.stop()
    with open("all.log") as file:
        print(*(line for line in file if line.startswith("p-")), sep="", end="")

# prints:
# p-a INFO work.a begins
# p-a ERROR work.a fails
# p-b INFO work.b begins
# p-b ERROR work.b fails
