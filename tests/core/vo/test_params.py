import pytest

from awe.core.sky import Circle
from awe.core.vo import dali, scs, sia1, sia2, soda, tap
from awe.core.vo.params import Param, Params, choice, integer, real, text
from awe.errors import ParameterError

NAME: Param[str] = Param("NAME", text, "A name", required=True)
SIZE: Param[float] = Param("SIZE", real(0, 10), "A size", "double", repeated=True, example="3")
KIND: Param[str] = Param("KIND", choice("Red", "Blue"), "A colour")
PARAMS = Params(NAME, SIZE, KIND)


def test_names_ignore_case_and_strangers_are_ignored() -> None:
    values = PARAMS.parse([("nAmE", " x "), ("other", "1"), ("size", "1"), ("SIZE", "2.5"), ("kind", "BLUE")])
    assert values.need(NAME) == "x"
    assert values.all(SIZE) == (1.0, 2.5)
    assert values.get(KIND) == "Blue"


def test_an_empty_value_is_no_value() -> None:
    assert PARAMS.parse([("NAME", "x"), ("KIND", " ")]).get(KIND) is None
    with pytest.raises(ParameterError, match=r"NAME"):
        PARAMS.parse([("NAME", "")])


def test_the_same_value_twice_is_one() -> None:
    assert PARAMS.parse([("NAME", "x"), ("name", "x")]).need(NAME) == "x"
    with pytest.raises(ParameterError, match=r"one value"):
        PARAMS.parse([("NAME", "x"), ("NAME", "y")])


@pytest.mark.parametrize(
    ("value", "reason"), [("x", "number"), ("nan", "finite"), ("11", "between 0 and 10"), ("1e999", "finite")]
)
def test_what_is_wrong_is_named(value: str, reason: str) -> None:
    with pytest.raises(ParameterError, match=rf"SIZE={value}.*{reason}") as caught:
        PARAMS.parse([("NAME", "x"), ("SIZE", value)])
    assert caught.value.hint == "for example SIZE=3"
    assert caught.value.fields == {"name": "SIZE", "value": value}


@pytest.mark.parametrize("given", ["1.0", "-1", "", "1e3"])
def test_whole_numbers(given: str) -> None:
    with pytest.raises(ValueError, match=r"whole number|or more"):
        integer(0)(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("1 2", (1.0, 2.0)), ("-Inf 3", (float("-inf"), 3.0)), ("5e-7 +Inf", (5e-7, float("inf")))],
)
def test_intervals(given: str, expected: tuple[float, float]) -> None:
    assert dali.interval(given) == expected


@pytest.mark.parametrize("given", ["", "1", "2 1", "a b", "NaN 1", "1 2 3"])
def test_what_is_no_interval(given: str) -> None:
    with pytest.raises(ValueError, match=r"interval|number|end"):
        dali.interval(given)


def test_one_number_is_the_interval_that_holds_it() -> None:
    assert dali.number_interval("5e-7") == (5e-7, 5e-7)


def test_every_example_is_accepted() -> None:
    refused = []
    for param in (*scs.PARAMS, *sia1.PARAMS, *sia2.PARAMS, *soda.PARAMS, *tap.PARAMS):
        if param.example:
            try:
                param.read(param.example)
            except ParameterError as error:
                refused.append(str(error))
    assert not refused


def test_positions_are_regions() -> None:
    assert sia2.PARAMS.parse([("pos", "CIRCLE 1 2 3")]).all(sia2.POS) == (Circle(1, 2, 3),)
