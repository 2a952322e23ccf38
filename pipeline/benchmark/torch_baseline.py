"""The PyTorch baseline: segmentation-models-pytorch and torchvision, in a process of its own."""

import numpy as np

from pipeline.benchmark.baseline_work import Network, Networks, Sizes, main
from pipeline.benchmark.network_work import torch_work
from segmentation.config import DECODER_FILTERS


def build(sizes: Sizes, _: str) -> Networks:
    """`smp.Unet('mobilenet_v2')` with our decoder, and `torchvision.models.mobilenet_v2`, called in inference mode."""
    import segmentation_models_pytorch as smp  # noqa: PLC0415 - in a baseline's process only
    import torch  # noqa: PLC0415
    import torchvision  # noqa: PLC0415

    unet = smp.Unet(
        "mobilenet_v2",
        encoder_weights=None,
        decoder_channels=DECODER_FILTERS,
        classes=1,
        activation="sigmoid",
    ).eval()
    classifier = torchvision.models.mobilenet_v2(weights=None, num_classes=sizes.classes).eval()

    def inferring(model: "torch.nn.Module") -> Network:
        def call(images: np.ndarray) -> np.ndarray:
            channels_first = torch.from_numpy(images / 127.5 - 1).permute(0, 3, 1, 2)
            with torch.inference_mode():
                answers: np.ndarray = model(channels_first).numpy()
            return answers

        return call

    segment = inferring(unet)
    return Networks(
        segment=lambda images: segment(images)[:, 0],
        classify=inferring(classifier),
        work={
            "segmentation": torch_work(unet, sizes.segmentation),
            "classification": torch_work(classifier, sizes.classification),
        },
    )


if __name__ == "__main__":
    main(build)
