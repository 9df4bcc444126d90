"""A truth and a prediction that differ in every way."""

import numpy as np


def differing_maps() -> tuple[np.ndarray, np.ndarray]:
    """Return a truth and a prediction of 40 × 60 pixels with one error of each kind.

    The cell 1 is matched, 2 is missed, the predicted 3 is spurious, 5 is split into 5, 6 and 7, and 10, 11
    and 12 are merged into 900,000. The cell 8 touches the border and is not scored.
    """
    truth, prediction = np.zeros((40, 60), int), np.zeros((40, 60), int)
    truth[5:11, 5:11] = prediction[5:11, 5:11] = 1
    truth[5:11, 20:26] = 2
    prediction[5:11, 35:41] = 3
    truth[20:26, 30:42] = 5
    prediction[20:26, 30:34], prediction[20:26, 34:38], prediction[20:26, 38:42] = 5, 6, 7
    for index in range(3):
        truth[30:36, 10 + 6 * index : 16 + 6 * index] = 10 + index
    prediction[30:36, 10:28] = 900_000
    truth[0:4, 50:55] = prediction[0:4, 50:55] = 8
    return truth, prediction
