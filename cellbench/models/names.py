"""What models are called: the names of cellbench's own, and the class path of any."""

OWN_MODELS = {
    "affinity": "cellbench.models.affinity.AffinityUNet",
    "boundary_unet": "cellbench.models.boundary_unet.BoundaryUNet",
    "cellpose": "cellbench.models.cellpose.Cellpose",
    "convnext_hover": "cellbench.models.convnext_hover.ConvNextHoVer",
    "convnext_stardist": "cellbench.models.convnext_stardist.ConvNextStarDist",
    "cpn": "cellbench.models.cpn.CPN",
    "embedding": "cellbench.models.embedding.EmbeddingUNet",
    "hover": "cellbench.models.hover.HoVerUNet",
    "kit_ge": "cellbench.models.kit_ge.KitGE",
    "mediar": "cellbench.models.mediar.Mediar",
    "mesmer": "cellbench.models.mesmer.Mesmer",
    "multi_stream": "cellbench.models.multi_stream.MultiStream",
    "omnipose": "cellbench.models.omnipose.Omnipose",
    "stardist": "cellbench.models.stardist.StarDistUNet",
    "swin_unetr": "cellbench.models.swin_unetr.SwinUNETRBoundary",
    "unet": "cellbench.models.unet.UNetBoundary",
    "unetr": "cellbench.models.unetr.UNETRBoundary",
}
"""The class path of each model of cellbench, by name."""


def class_path(model: type) -> str:
    """Return the full path of a class.

    Args:
        model: any class.

    Examples:
        >>> class_path(dict)
        'builtins.dict'
    """
    return f"{model.__module__}.{model.__qualname__}"


def model_name(path: str) -> str:
    """Return the name of one of cellbench's own models, or the class path of another.

    Args:
        path: the class path of the model.

    Examples:
        >>> model_name("cellbench.models.unet.UNetBoundary")
        'unet'
    """
    return next((name for name, own in OWN_MODELS.items() if own == path), path)
