"""What a JSON Schema contains, wherever that is in the document."""

import pytest

from mirant.policy.filters.schema_walk import cost_of_comparing, count_values, divides, find_circle


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"multipleOf": 2}, True),
        ({"anyOf": [{"properties": {"a": {"multipleOf": 2}}}]}, True),
        ({"properties": {"a": {"type": "number"}}}, False),
        (True, False),
    ],
)
def test_whether_it_divides(schema: object, found: bool) -> None:  # noqa: FBT001
    assert divides(schema) is found


@pytest.mark.parametrize(
    ("value", "count"), [(1, 1), ([], 1), ([1, [2, 3]], 5), ({"a": 1, "b": {"c": [2]}}, 5), ("ab", 1)]
)
def test_values_are_counted_and_names_are_not(value: object, count: int) -> None:
    assert count_values(value) == count


@pytest.mark.parametrize(
    ("schema", "cost"),
    [
        ({"enum": ["a", "b"]}, 0),
        ({"enum": ["a", 1]}, 310),
        ({"const": "a"}, 10),
        ({"const": {"a": [1, 2]}}, 1_200),
        ({"items": {"enum": [1, 2]}, "not": {"const": 3}}, 900),
        ({"type": "string"}, 0),
    ],
)
def test_what_comparing_costs(schema: object, cost: int) -> None:
    assert cost_of_comparing(schema) == cost


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"$ref": "#"}, "#"),
        ({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}}, "#/$defs/a"),
        ({"$defs": {"a b": {"not": {"$ref": "#/$defs/a%20b"}}}}, "#/$defs/a b"),
    ],
)
def test_a_schema_that_refers_to_itself_about_the_same_value(schema: object, place: str) -> None:
    found = find_circle(schema)
    assert found is not None
    assert found.startswith(place)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"children": {"items": {"$ref": "#"}}}},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"type": "string"}}},
        {"$ref": "#anchor"},
        False,
    ],
)
def test_a_schema_that_refers_to_itself_about_a_part_or_not_at_all(schema: object) -> None:
    assert find_circle(schema) is None
