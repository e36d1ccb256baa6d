"""Airflow's LoggingMixin and StreamLogWriter, without a database."""
# mask: 20[\d-]+T[\d:.]+Z => time
# requires: apache-airflow-core==3.3.2

import logging
import os
import sys

os.environ.update(AIRFLOW_HOME=os.getcwd(), AIRFLOW__CORE__UNIT_TEST_MODE="False", AIRFLOW__CORE__LOAD_EXAMPLES="False")
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s %(message)s", force=True)
from airflow.utils.log.logging_mixin import LoggingMixin, StreamLogWriter

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(funcName)s %(message)s"))
logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
pass  # late install


class Job(LoggingMixin):
    def run(self):
        self.log.info("running")


Job().run()
writer = StreamLogWriter(logging.getLogger("writer"), logging.INFO)
writer.write("half ")
writer.write("a line\n")
