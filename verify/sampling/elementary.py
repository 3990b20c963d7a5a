"""Normal quantiles, logarithms, sines and cube roots by additions, multiplications, divisions and square roots alone.

IEEE 754 fixes the result of these five operations to the last bit, and of nothing else: a library's ``log`` or ``sin`` may differ from
machine to machine, and numpy's from one length of array to another. Here every entry depends on its own argument only, so a random
network has the same bits alone or among others, on any machine. Errors are a few units in the last place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Coefficients = tuple[float, ...]

# M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988): numerators and denominators, constant term first
_CENTRAL, _NEAR, _FAR = 0.425, 5.0, 1.6
_A: Coefficients = (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4)
_A += (4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3)
_B: Coefficients = (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3)
_B += (2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3)
_C: Coefficients = (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0)
_C += (1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4)
_D: Coefficients = (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1)
_D += (1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9)
_E: Coefficients = (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1)
_E += (2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7)
_F: Coefficients = (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2)
_F += (7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15)

_LN2 = 0.693147180559945309417
_ROOT_HALF = 0.707106781186547524401
_LOG = tuple(2.0 / n for n in range(1, 25, 2))  # 2 artanh(s) = s (2 + 2/3 s^2 + ...), |s| < 0.172
_SIN = (1.0, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800, 1 / 6227020800, -1 / 1307674368000, 1 / 355687428096000)
_COS = (1.0, -1 / 2, 1 / 24, -1 / 720, 1 / 40320, -1 / 3628800, 1 / 479001600, -1 / 87178291200, 1 / 20922789888000, -1 / 6402373705728000)
_CUBE_ROOTS = (1.0, 1.25992104989487316477, 1.58740105196819947475)  # of 1, 2 and 4
_NEWTON_STEPS = 5


def polynomial(coefficients: Coefficients, x: Array) -> Array:
    """Return the polynomial, constant term first, by Horner's rule."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total *= x
        total += coefficient
    return total


def normal_quantile(q: Array) -> Array:
    """Return the standard normal number below which the probability is 1/2 + q, for -1/2 < q < 1/2.

    **Guarantee:** odd in q, bit for bit; relative error about 1e-15.
    """
    r = _CENTRAL * _CENTRAL - q * q
    found = q * polynomial(_A, r)
    found /= polynomial(_B, r)
    outer = np.abs(q) > _CENTRAL
    tails = q[outer]
    found[outer] = np.copysign(_tail(np.sqrt(-logarithm(0.5 - np.abs(tails)))), tails)
    return found


def _tail(r: Array) -> Array:
    near = r - _FAR
    found = polynomial(_C, near) / polynomial(_D, near)
    extreme = r > _NEAR
    if extreme.any():
        far = r[extreme] - _NEAR
        found[extreme] = polynomial(_E, far) / polynomial(_F, far)
    return found


def logarithm(x: Array) -> Array:
    """Return the natural logarithm of positive normal numbers."""
    fraction, exponent = np.frexp(x)
    low = fraction < _ROOT_HALF
    fraction = np.where(low, fraction + fraction, fraction)
    s = (fraction - 1.0) / (fraction + 1.0)
    return (exponent - low) * _LN2 + s * polynomial(_LOG, s * s)


def sine(x: Array) -> Array:
    """Return sin x for |x| <= pi/4."""
    return x * polynomial(_SIN, x * x)


def cosine(x: Array) -> Array:
    """Return cos x for |x| <= pi/4."""
    return polynomial(_COS, x * x)


def cube_root(x: Array) -> Array:
    """Return the cube root of numbers >= 0, by Newton's method on a fraction between 1/2 and 1."""
    fraction, exponent = np.frexp(x)
    thirds, rest = np.divmod(exponent, 3)
    root = np.where(fraction > 0.0, 0.45 + 0.55 * fraction, 1.0)
    for _ in range(_NEWTON_STEPS):
        root = root - (root - fraction / (root * root)) / 3.0
    root = root * np.array(_CUBE_ROOTS)[rest]
    return np.where(fraction > 0.0, np.ldexp(root, thirds), 0.0)


def folded_sum(x: Array) -> Array:
    """Return the sums over the last axis, halves added to halves: an order of additions that no machine changes."""
    while x.shape[-1] > 1:
        half = x.shape[-1] // 2
        x = np.concatenate([x[..., :half] + x[..., half : 2 * half], x[..., 2 * half :]], axis=-1)
    return x[..., 0]
