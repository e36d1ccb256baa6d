"""pandas and numpy: imported, used, and their own modules' warnings captured."""
# requires: pandas==3.1.1
# requires: numpy==2.5.5 ; python_version >= "3.12"
# requires: numpy==2.4.6 ; python_version < "3.12"

import logging
import sys
import warnings

import numpy
import pandas

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
logging.captureWarnings(True)
warnings.simplefilter("always")
log = logging.getLogger("shop")
pass  # late install
frame = pandas.DataFrame({"a": [1, 2, 3], "b": numpy.arange(3) / 2})
log.info("frame\n%s", frame)
log.info("%s %d %.3f %r", numpy.float64(1.5), numpy.int64(3), numpy.float32(0.25), numpy.array([1, 2]))
log.info("%(a)s", frame.iloc[0].to_dict())
with numpy.errstate(divide="warn"):
    numpy.array([1.0]) / numpy.array([0.0])
