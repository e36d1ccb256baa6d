"""femtolog.errors: what can be caught by which name."""

import logging
import pickle

import pytest

import femtolog
import femtolog.blackbox
import femtolog.control
import femtolog.files
import femtolog.formatters
from femtolog import errors


@pytest.mark.parametrize(
    ("error", "also"),
    [
        (errors.ConfigurationError, ValueError),
        (errors.HandlerConfigError, errors.ConfigurationError),
        (errors.FilterBuildError, ValueError),
        (errors.NegativeError, OverflowError),
        (errors.HandlerIOError, OSError),
    ],
)
def test_each_error_is_a_femtolog_error_and_the_stdlibs_type(error, also):
    with pytest.raises(also) as caught:
        raise error("capacity must be at least 1, got 0")
    assert isinstance(caught.value, errors.FemtologError)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is error
    assert str(copy) == "capacity must be at least 1, got 0"


def test_settings_that_cannot_be_are_errors_of_femtolog(tmp_path):
    file = tmp_path / "log.ini"
    file.write_text("[handler_h]\nclass=os.system\n")
    refused = [
        lambda: femtolog.add_level("in fo", 25),
        lambda: femtolog.add_level("info", 25),
        lambda: femtolog.explain("a", "LOUD"),
        lambda: setattr(femtolog, "extra_policy", "odd"),
        lambda: femtolog.fileConfig(file, safe=True),
        lambda: femtolog.configure(async_=False),
        lambda: femtolog.asyncio_guard(-1),
        lambda: femtolog.formatters.Formatter(escape="all"),
        lambda: femtolog.control.serve(),
        lambda: femtolog.files.FileHandler(file, buffering=-1),
        lambda: femtolog.blackbox.BlackBoxHandler(file, 1),
        lambda: femtolog.enqueue(logging.NullHandler(), capacity=0),
        lambda: femtolog.enqueue(logging.NullHandler(), timeout=-1),
        lambda: femtolog.enqueue(logging.NullHandler(), overflow="timeout"),
    ]
    for call in refused:
        with pytest.raises(errors.ConfigurationError):
            call()
