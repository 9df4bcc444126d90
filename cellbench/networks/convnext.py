"""What is particular to the ConvNeXt encoders of timm (Liu et al. 2022)."""

from torch import nn

from cellbench.errors import UsageError


def check_convnext(name: str) -> None:
    """Check that an encoder is a ConvNeXt.

    Args:
        name: name of an encoder in timm.

    Raises:
        UsageError: if it is another encoder.
    """
    if not name.startswith("convnext"):
        raise UsageError(
            f"encoder {name!r}: not a ConvNeXt; try convnext_atto or convnext_small, or use the model "
            "`stardist` or `hover`, which takes other encoders"
        )


def initialise_convnext(encoder: nn.Module) -> None:
    """Initialise the weights of a ConvNeXt so that each block contributes from the first step.

    timm initialises all weights at 0.02 and the scales of the blocks at a millionth, which suits
    hundreds of epochs on a million images. In a run of minutes the blocks would contribute almost
    nothing, and no pixel would get information about its surroundings.

    Args:
        encoder: an encoder of timm; others than ConvNeXts keep their initial weights.
    """
    from timm.models.convnext import ConvNeXtBlock

    if not any(isinstance(each, ConvNeXtBlock) for each in encoder.modules()):
        return
    for name, weights in encoder.named_parameters():
        if name.endswith("gamma"):
            nn.init.ones_(weights)
        elif weights.ndim > 1:
            gain = 2 if ".mlp.fc2." in name else 1  # a GELU halves the variance of its input
            nn.init.trunc_normal_(weights, std=(gain / weights[0].numel()) ** 0.5)
