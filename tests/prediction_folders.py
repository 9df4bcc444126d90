"""A folder of true label maps, and one of predictions with every kind of fault."""

from pathlib import Path

import numpy as np
from label_maps import discs
from tifffile import imwrite

from cellbench.labels import write_labels

STEMS = ("a", "b.c", "d", "e", "f", "g", "h")


def make_folders(tmp_path: Path) -> tuple[Path, Path]:
    """Truth of seven images; one good prediction, then one of each failure."""
    truth, predictions = tmp_path / "root/test/labels", tmp_path / "mine"
    for number, stem in enumerate(STEMS):
        write_labels(truth / f"{stem}_label.tiff", discs(seed=number))
    write_labels(predictions / "a_label.tiff", discs(seed=0))
    write_labels(predictions / "b_label.tiff", discs(seed=1))  # named as the official scripts do
    write_labels(predictions / "e_label.tiff", discs(seed=3)[:-1])
    (predictions / "f_label.tiff").write_bytes(b"II*\0 this is no TIFF")
    imwrite(predictions / "g_label.tiff", discs(seed=5) + np.float32(0.5))
    write_labels(predictions / "h_label.tiff", discs(seed=6))
    (predictions / "resources.csv").write_text("image,status\na,ok\nh,timeout\n")
    (predictions / "runtime.csv").write_text(
        "Img Name,Real Running Time,Rank Running Time\na.png,3.5,0\nb.c.png,12,2\nh.png,1,0\nd.png,1,0\n"
    )
    (tmp_path / "root/manifest.csv").write_text(
        "image,split,modality\na.png,test,Fluorescence\na.png,train,DIC\nb.c,test,dic\n"
    )
    return truth, predictions
