"""Measures that are computed from the overlaps of the cells of one image."""

import numpy as np

from cellbench.evaluation.pooled import PooledOverlaps


def average_precision(image: PooledOverlaps) -> float:
    """Return the mean over the thresholds 0.5 … 0.95 of tp / (tp + fp + fn).

    The Data Science Bowl 2018 and Sartorius competitions define AP so, but compare with ``>``.

    Args:
        image: overlaps of the image.
    """
    scores = image.scores.values()
    accuracies = [score.tp / max(score.tp + score.fp + score.fn, 1) for score in scores]
    return sum(accuracies) / len(accuracies)


def segmentation_quality(image: PooledOverlaps) -> float:
    """Return the mean IoU of the cells matched at IoU 0.5 (Kirillov et al. 2019).

    Args:
        image: overlaps of the image.
    """
    return sum(float(found.iou.sum()) for found in image.matches) / max(image.half.tp, 1)


def recognition_quality(image: PooledOverlaps) -> float:
    """Return the F1 at IoU 0.5 (Kirillov et al. 2019).

    Args:
        image: overlaps of the image.
    """
    return image.half.f1


def panoptic_quality(image: PooledOverlaps) -> float:
    """Return segmentation quality times recognition quality (Kirillov et al. 2019).

    Args:
        image: overlaps of the image.
    """
    return segmentation_quality(image) * recognition_quality(image)


def aggregated_jaccard_index(image: PooledOverlaps) -> float:
    """Return the aggregated Jaccard index, AJI (Kumar et al. 2017).

    Each true cell takes the predicted cell of largest IoU (of equal ones that of the lowest id), which
    other true cells may take too. Predicted cells that no true cell takes are added to the union.

    Args:
        image: overlaps of the image.
    """
    shared = union = 0
    for part in image.parts:
        truth, prediction = part.pairs.T
        order = np.lexsort((prediction, -part.iou, truth))
        best = order[np.unique(truth[order], return_index=True)[1]]
        taken = prediction[best]
        left = np.delete(part.prediction_areas, taken)
        shared += int(part.intersections[best].sum())
        union += int(part.truth_areas.sum() + part.prediction_areas[taken].sum() + left.sum())
    return shared / (union - shared) if shared else 0.0


def tracking_segmentation_accuracy(image: PooledOverlaps) -> float:
    """Return SEG of the Cell Tracking Challenge (Maška et al. 2014).

    A predicted cell belongs to a true cell if it covers more than half of it; their IoU counts, and 0 for a
    true cell without such a predicted cell. SEG is the mean over the true cells, and 0 here where there are
    none. Spurious cells do not change it. The challenge computes it over all frames of a video together.

    Args:
        image: overlaps of the image.
    """
    total, cells = 0.0, 0
    for part in image.parts:
        covered = 2 * part.intersections > part.truth_areas[part.pairs[:, 0]]
        total += float(part.iou[covered].sum())
        cells += len(part.truth_areas)
    return total / max(cells, 1)
