"""The network and the representation of each of cellbench's models of dense maps, made from its options.

The class of a model, which can be trained, and its
[`OwnSegmenter`][cellbench.models.own_segmenter.OwnSegmenter], which cannot, both call these
functions. The class documents the options and has their default values.
"""

from collections.abc import Callable, Sequence

from torch import nn

from cellbench.networks.cellpose_unet import CellposeUNet
from cellbench.networks.double_unet import DoubleUNet
from cellbench.networks.encoder_unet import EncoderUNet
from cellbench.networks.manet import MANet
from cellbench.networks.panoptic_fpn import PanopticFPN
from cellbench.networks.swin_unetr import SwinUNETR
from cellbench.networks.unet import UNet
from cellbench.networks.unetr import UNETR
from cellbench.representations import (
    Affinity,
    Boundary,
    CellDistance,
    Contour,
    Embedding,
    Flow,
    HoVer,
    InnerDistance,
    Omni,
    Representation,
    StarConvex,
)

Parts = tuple[nn.Module, Representation]

# The official limit of 16 pixels would hide every nucleus of less than about 60 pixels.
_SMALLEST_TARGET = 4
_TYPICAL_RADIUS = 10.0  # pixels
# Probability 0.12: few pixels are central, so an untrained network finds no cell.
_CENTRE_LOGIT = -2.0


def affinity(encoder: str, pretrained: bool, decoder_channels: Sequence[int]) -> Parts:
    """Make the parts of [`AffinityUNet`][cellbench.models.affinity.AffinityUNet].

    Args:
        encoder: name of an encoder in timm.
        pretrained: load the ImageNet weights of the encoder.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2 and 1.
    """
    edges = Affinity()
    network = EncoderUNet(edges.channels, encoder, pretrained, decoder_channels, grids=(1,))
    return network, edges


def boundary_unet(
    encoder: str, pretrained: bool, decoder_channels: Sequence[int], smallest_interior: int
) -> Parts:
    """Make the parts of [`BoundaryUNet`][cellbench.models.boundary_unet.BoundaryUNet].

    Args:
        encoder: name of an encoder in timm.
        pretrained: load the ImageNet weights of the encoder.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2 and 1.
        smallest_interior: smallest number of pixels of a predicted cell interior.
    """
    boundary = Boundary(smallest_interior=smallest_interior, smallest_target=_SMALLEST_TARGET)
    network = EncoderUNet(boundary.channels, encoder, pretrained, decoder_channels, grids=(1,))
    return network, boundary


def cellpose(channels: Sequence[int]) -> Parts:
    """Make the parts of [`Cellpose`][cellbench.models.cellpose.Cellpose].

    Args:
        channels: number of features at each level, from the finest to the coarsest.
    """
    flow = Flow()
    return CellposeUNet(flow.channels, channels), flow


def cpn(
    encoder: str, pretrained: bool, decoder_channels: Sequence[int], order: int, samples: int
) -> Parts:
    """Make the parts of [`CPN`][cellbench.models.cpn.CPN].

    Args:
        encoder: name of an encoder in timm.
        pretrained: load the ImageNet weights of the encoder.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2, and 1 for maps at every
            pixel.
        order: number of harmonics of an outline.
        samples: number of points of an outline.
    """
    channels = Contour(order=order).channels
    network = EncoderUNet(
        channels,
        encoder,
        pretrained,
        decoder_channels,
        scales={"offset": _TYPICAL_RADIUS, "fourier": _TYPICAL_RADIUS},
        initial_outputs={"score": _CENTRE_LOGIT},
    )
    return network, Contour(order=order, samples=samples, grid=network.grid)


def embedding(
    encoder: str, pretrained: bool, decoder_channels: Sequence[int], sigmas: int
) -> Parts:
    """Make the parts of [`EmbeddingUNet`][cellbench.models.embedding.EmbeddingUNet].

    Args:
        encoder: name of an encoder in timm.
        pretrained: load the ImageNet weights of the encoder.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2 and 1.
        sigmas: number of sigmas, 1 or 2.
    """
    offsets = Embedding(sigmas=sigmas)
    network = EncoderUNet(
        offsets.channels,
        encoder,
        pretrained,
        decoder_channels,
        grids=(1,),
        scales={"offset": _TYPICAL_RADIUS},
    )
    return network, offsets


def hover(
    encoder: str, pretrained: bool, decoder_channels: Sequence[int], smallest_target: int
) -> Parts:
    """Make the parts of [`HoVerUNet`][cellbench.models.hover.HoVerUNet], also with a ConvNeXt.

    Args:
        encoder: name of an encoder in timm.
        pretrained: load the ImageNet weights of the encoder.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2 and 1.
        smallest_target: smallest number of pixels of a cell whose distances are learned.
    """
    distances = HoVer(smallest_target=smallest_target, exact_centres=True)
    network = EncoderUNet(distances.channels, encoder, pretrained, decoder_channels, grids=(1,))
    return network, distances


def kit_ge(channels: Sequence[int]) -> Parts:
    """Make the parts of [`KitGE`][cellbench.models.kit_ge.KitGE].

    Args:
        channels: number of features at each level, from the finest to the coarsest.
    """
    distances = CellDistance()
    return DoubleUNet(distances.channels, channels), distances


def mediar(
    encoder: str, pretrained: bool, decoder_channels: Sequence[int], attention_channels: int
) -> Parts:
    """Make the parts of [`Mediar`][cellbench.models.mediar.Mediar].

    Args:
        encoder: name of a Mix Transformer, or of an encoder in timm.
        pretrained: load the ImageNet weights of the encoder.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2 and 1.
        attention_channels: number of features that the position-wise attention compares.
    """
    flow = Flow()
    network = MANet(flow.channels, encoder, pretrained, decoder_channels, attention_channels)
    return network, flow


def mesmer(encoder: str, pretrained: bool, pyramid_channels: int, head_channels: int) -> Parts:
    """Make the parts of [`Mesmer`][cellbench.models.mesmer.Mesmer].

    Args:
        encoder: name of an encoder in timm.
        pretrained: load the ImageNet weights of the encoder.
        pyramid_channels: number of features of each level of the pyramid.
        head_channels: number of features of each level after upsampling.
    """
    inner = InnerDistance()
    network = PanopticFPN(inner.channels, encoder, pretrained, pyramid_channels, head_channels)
    return network, inner


def omnipose(channels: Sequence[int]) -> Parts:
    """Make the parts of [`Omnipose`][cellbench.models.omnipose.Omnipose].

    Args:
        channels: number of features at each level, from the finest to the coarsest.
    """
    omni = Omni()
    return CellposeUNet(omni.channels, channels), omni


def stardist(encoder: str, pretrained: bool, decoder_channels: Sequence[int], rays: int) -> Parts:
    """Make the parts of [`StarDistUNet`][cellbench.models.stardist.StarDistUNet], also with a ConvNeXt.

    Args:
        encoder: name of an encoder in timm.
        pretrained: load the ImageNet weights of the encoder.
        decoder_channels: number of decoder features at strides 16, 8, 4, 2, and 1 for maps at every
            pixel.
        rays: number of directions in which the outline of a cell is measured.
    """
    network = EncoderUNet(
        StarConvex(rays=rays).channels,
        encoder,
        pretrained,
        decoder_channels,
        scales={"distances": _TYPICAL_RADIUS},
        initial_outputs={"distances": 1.0, "probability": _CENTRE_LOGIT},
    )
    return network, StarConvex(rays=rays, grid=network.grid)


def swin_unetr(
    feature_size: int, heads: Sequence[int], convolutions: bool, smallest_interior: int
) -> Parts:
    """Make the parts of [`SwinUNETRBoundary`][cellbench.models.swin_unetr.SwinUNETRBoundary].

    Args:
        feature_size: number of features at the first level.
        heads: number of attention heads at each of the four levels.
        convolutions: add a convolution before each level.
        smallest_interior: smallest number of pixels of a predicted cell interior.
    """
    boundary = Boundary(smallest_interior=smallest_interior, smallest_target=_SMALLEST_TARGET)
    return SwinUNETR(boundary.channels, feature_size, heads, convolutions), boundary


def unet(channels: Sequence[int], residual_units: int, smallest_interior: int) -> Parts:
    """Make the parts of [`UNetBoundary`][cellbench.models.unet.UNetBoundary].

    Args:
        channels: number of features at each level, from the finest to the coarsest.
        residual_units: number of convolutions in each residual block.
        smallest_interior: smallest number of pixels of a predicted cell interior.
    """
    boundary = Boundary(smallest_interior=smallest_interior, smallest_target=_SMALLEST_TARGET)
    return UNet(boundary.channels, channels, residual_units), boundary


def unetr(
    feature_size: int,
    hidden_size: int,
    mlp_size: int,
    heads: int,
    convolution_stem: bool,
    window: int,
    smallest_interior: int,
) -> Parts:
    """Make the parts of [`UNETRBoundary`][cellbench.models.unetr.UNETRBoundary].

    Args:
        feature_size: number of features at full resolution.
        hidden_size: number of features of each token.
        mlp_size: number of hidden features of the fully connected layers.
        heads: number of attention heads.
        convolution_stem: compute the tokens with residual convolutions.
        window: side in pixels of the images that the position embeddings are made for.
        smallest_interior: smallest number of pixels of a predicted cell interior.
    """
    boundary = Boundary(smallest_interior=smallest_interior, smallest_target=_SMALLEST_TARGET)
    network = UNETR(
        boundary.channels, window, feature_size, hidden_size, mlp_size, heads, convolution_stem
    )
    return network, boundary


PARTS: dict[str, Callable[..., Parts]] = {
    "affinity": affinity,
    "boundary_unet": boundary_unet,
    "cellpose": cellpose,
    "convnext_hover": hover,
    "convnext_stardist": stardist,
    "cpn": cpn,
    "embedding": embedding,
    "hover": hover,
    "kit_ge": kit_ge,
    "mediar": mediar,
    "mesmer": mesmer,
    "omnipose": omnipose,
    "stardist": stardist,
    "swin_unetr": swin_unetr,
    "unet": unet,
    "unetr": unetr,
}
"""The function that makes the parts of a model, by the name of the model."""
