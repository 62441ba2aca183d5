"""LoRA: small matrices that are trained beside an encoder's frozen ones (Hu et al., 2021), by the library peft."""

from typing import Dict

from torch import Tensor, nn


def add_adapters(encoder: nn.Module, rank: int) -> None:
    """Freeze an encoder and put an adapter of this rank beside each of its linear layers. They change nothing yet."""
    from peft import LoraConfig, inject_adapter_in_model  # an extra, and slow to import

    # All linear layers, which comes closest to training all weights (Dettmers et al., QLoRA, 2023)
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear"), encoder)


def merge_adapters(encoder: nn.Module) -> None:
    """Add an encoder's adapters to the weights that they stand beside: it computes the same in less time."""
    for name, module in list(encoder.named_modules()):
        if hasattr(module, "base_layer"):
            module.merge()
            encoder.set_submodule(name, module.base_layer)


def beside_adapters(weights: Dict[str, Tensor], encoder: nn.Module) -> Dict[str, Tensor]:
    """Add the adapters of an encoder to weights without any, which get the names that they have beside adapters."""
    own = encoder.state_dict()
    names = {name.replace(".base_layer.", "."): name for name in own}
    adapters = {name: value for name, value in own.items() if ".lora_" in name}
    return {**adapters, **{names.get(name, name): value for name, value in weights.items()}}
