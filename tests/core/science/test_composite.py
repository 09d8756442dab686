import numpy as np
import pytest
from astropy.visualization import make_lupton_rgb

from awe.core.science.composite import composite, lupton


def stars(seed: int = 3) -> list[np.ndarray]:
    """Return three bands: noise, and stars of all colours up to a thousand times as bright."""
    random = np.random.default_rng(seed)
    flux = random.pareto(1.0, (200, 300)) * 3
    return [
        random.normal(0.3, 0.1, flux.shape) + flux * random.uniform(0.2, 1.0, flux.shape) for _ in range(3)
    ]


@pytest.mark.parametrize(("softening", "stretch"), [(8.0, 1.0), (8.0, 0.3), (3.0, 10.0)])
def test_colours_are_those_of_astropy(softening: float, stretch: float) -> None:
    bands = stars()
    wanted = make_lupton_rgb(*bands, minimum=0, stretch=stretch, Q=softening)
    full = (
        np.sinh(np.arcsinh(0.1 * softening) / 0.1) * stretch / softening
    )  # astropy: a tenth is almost linear
    found = np.round(lupton(*bands, softening=softening / stretch, full=full) * 255)
    assert wanted.min() == 0
    assert wanted.max() == 255
    np.testing.assert_allclose(found, wanted, atol=1.0)  # astropy cuts off, it does not round


def test_bright_stars_keep_their_colour() -> None:
    bands = [np.zeros((20, 20)) for _ in range(3)]
    for band, flux in zip(bands, (4000.0, 2000.0, 1000.0), strict=True):
        band[10, 10] = flux
    red, green, blue = lupton(*bands, softening=8.0, full=100.0)[10, 10]
    assert red == pytest.approx(1.0)
    assert green == pytest.approx(0.5)
    assert blue == pytest.approx(0.25)


def test_bands_in_other_units_give_the_same_picture() -> None:
    red, green, blue = stars()
    there = composite(red * 1e4 + 77, green, blue * 1e-3 - 5)
    np.testing.assert_allclose(there, composite(red, green, blue), atol=1e-6)


def test_a_band_without_data_adds_nothing() -> None:
    red, green, blue = stars()
    red[:, :100] = np.nan
    found = composite(red, green, blue)
    assert (found[:, :100, 0] == 0).all()
    assert (found[:, :100, 1] > 0).any()
    assert (composite(np.full_like(red, np.nan), green, blue)[..., 0] == 0).all()
    assert 0 <= found.min() <= found.max() <= 1
