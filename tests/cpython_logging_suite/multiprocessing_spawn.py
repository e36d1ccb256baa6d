"""multiprocessing's own logging tests with the start method spawn: classes of the interpreter's, made by its installer."""

from test._test_multiprocessing import install_tests_in_module_dict

import plan

install_tests_in_module_dict(globals(), "spawn")
plan.keep_logging_tests(globals())
