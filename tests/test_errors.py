"""femtolog.errors: what can be caught by which name."""

import pickle

import pytest

from femtolog import errors


@pytest.mark.parametrize(
    ("error", "also"),
    [
        (errors.ConfigurationError, ValueError),
        (errors.HandlerConfigError, errors.ConfigurationError),
        (errors.FilterBuildError, ValueError),
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
