"""The kinds of perturbation and the strength of each severity: the one table, without heavy imports."""

from dataclasses import dataclass

from cellbench.errors import UsageError

STEPS = 5
"""Number of severities of a kind; 1 is the mildest."""
ALL = "all"
"""The word that stands for all kinds, and for all severities."""


@dataclass(frozen=True)
class Kind:
    """A kind of perturbation.

    Attributes:
        name: the word on the command line and in tables.
        title: what it is, in words, for figures.
        measure: what its strength is.
        strengths: the strength at each severity, from 1 on; a kind without steps has a single one.
    """

    name: str
    title: str
    measure: str
    strengths: tuple[float, ...]

    def strength(self, severity: int) -> float:
        """Return the strength at a severity.

        Args:
            severity: from 1 to the number of steps of the kind.

        Raises:
            UsageError: if the kind has no such severity.
        """
        if not 1 <= severity <= len(self.strengths):
            allowed = "1 only" if len(self.strengths) == 1 else f"1 to {len(self.strengths)}"
            raise UsageError(f"severity {severity}: {self.name} has severity {allowed}")
        return self.strengths[severity - 1]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "gaussian-noise",
            "Gaussian noise",
            "standard deviation, as a share of the range",
            (0.04, 0.08, 0.12, 0.18, 0.26),
        ),
        Kind(
            "poisson-noise",
            "Poisson noise",
            "photons at the upper end of the range",
            (60, 30, 15, 8, 4),
        ),
        Kind("defocus", "Defocus", "radius of the disc in px", (1, 1.5, 2.5, 4, 6)),
        Kind("motion-blur", "Motion blur", "length of the path in px", (3, 5, 9, 14, 20)),
        Kind("contrast", "Low contrast", "factor on the contrast", (0.7, 0.5, 0.3, 0.15, 0.07)),
        Kind("gamma", "Gamma", "exponent of the intensity", (1.25, 1.5, 2, 2.5, 3)),
        Kind(
            "uneven-light",
            "Uneven light",
            "loss of light at the darkest place",
            (0.2, 0.35, 0.5, 0.65, 0.8),
        ),
        Kind("inversion", "Inversion", "none: there is one step", (1,)),
        Kind("jpeg", "JPEG compression", "JPEG quality", (50, 30, 20, 12, 7)),
        Kind(
            "low-resolution",
            "Low resolution",
            "factor by which the image is shrunk and enlarged again",
            (1.5, 2, 3, 4, 6),
        ),
        Kind("enlarging", "Larger cells", "factor on height and width", (1.15, 1.3, 1.5, 1.75, 2)),
        Kind(
            "shrinking",
            "Smaller cells",
            "factor on height and width",
            (0.87, 0.77, 0.67, 0.57, 0.5),
        ),
        Kind("channel-swap", "Swapped channels", "none: there is one step", (1,)),
        Kind(
            "stain-shift",
            "Shifted stains",
            "change of the amount of each stain, as a share",
            (0.1, 0.2, 0.3, 0.45, 0.6),
        ),
        Kind(
            "saturation",
            "Saturated pixels",
            "share of saturated pixels",
            (0.02, 0.05, 0.1, 0.2, 0.3),
        ),
    )
}
"""All kinds by name; docs/robustness.md defines each of them."""

GEOMETRIC = ("enlarging", "shrinking")
"""The kinds that change the size of images, and so of their label maps."""
PARTIAL = ("channel-swap", "stain-shift")
"""The kinds that do not exist for every image: they need colours."""


def combinations(kinds: list[str], severities: list[int]) -> list[tuple[Kind, int]]:
    """Return every wanted kind at every wanted severity that it has.

    Kinds without any of the severities are left out, whether they are named or ``all`` stands for them.

    Args:
        kinds: names of kinds, or the word ``all``.
        severities: numbers from 1 to 5.

    Returns:
        Pairs of kind and severity, in the order of [`KINDS`][], then by severity.

    Raises:
        UsageError: if a kind does not exist, or no kind has one of the severities.

    Examples:
        >>> [(kind.name, step) for kind, step in combinations(["inversion", "jpeg"], [1, 2])]
        [('inversion', 1), ('jpeg', 1), ('jpeg', 2)]
    """
    if unknown := [name for name in kinds if name not in (*KINDS, ALL)]:
        raise UsageError(f"kind {unknown[0]!r}: choose of {', '.join(KINDS)}, or {ALL}")
    wanted = [kind for kind in KINDS.values() if ALL in kinds or kind.name in kinds]
    found = [
        (kind, step)
        for kind in wanted
        for step in sorted(set(severities))
        if 1 <= step <= len(kind.strengths)
    ]
    if not found:
        wanted[0].strength(severities[0] if severities else 0)
    return found
