from awe.core import sky


def test_public_names() -> None:
    assert sky.__all__ == [
        "FRAMES",
        "MAX_ORDER",
        "Box",
        "Circle",
        "Moc",
        "Polygon",
        "Range",
        "Region",
        "cell_radius",
        "half_chord_squared",
        "healpix_center",
        "healpix_index",
        "lonlat",
        "merge_ranges",
        "moc_from_fits",
        "moc_to_fits",
        "moc_to_mocpy",
        "parse_circle",
        "parse_dali",
        "parse_polygon",
        "parse_position",
        "parse_stcs",
        "propagate",
        "rotation",
        "separation",
        "to_icrs",
        "unit_vector",
    ]
    assert all(hasattr(sky, name) for name in sky.__all__)
