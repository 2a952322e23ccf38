"""Baselines do the whole work on the images that they are given."""

import json

import numpy as np
import pytest

from pipeline.benchmark import baseline_work, keras_baseline
from pipeline.benchmark.baseline_work import BaselineWork, Networks, Sizes
from pipeline.benchmark.folders import fill_folder
from pipeline.benchmark.network_work import Work, keras_work

SIZES = Sizes(segmentation=(32, 64), classification=(32, 32), classes=3)


def brightest_channel(images):
    assert images.shape[1:] == (32, 32, 3) and images.dtype == np.float32
    return images.mean(axis=(1, 2))


def nothing_found(images):
    assert images.shape[1:] == (32, 64, 3) and images.dtype == np.float32
    return np.zeros(images.shape[:3], np.float32)


NETWORKS = Networks(nothing_found, brightest_channel, {"segmentation": Work(macs=10, parameters=3)})


def test_each_image_gets_the_class_of_its_own_middle():
    red, blue = np.zeros((2, 50, 90, 3), np.uint8)
    red[..., 0] = blue[..., 2] = 200
    red[:, :10, 1] = 255

    assert BaselineWork(NETWORKS, SIZES).diagnose([red, blue]) == [0, 2]


def test_single_images_are_timed_one_by_one_and_folders_as_a_whole(tmp_path):
    images = sorted(fill_folder(tmp_path / "images", 40).iterdir())
    baseline = BaselineWork(NETWORKS, SIZES)

    assert len(baseline.one_by_one(images, 5)) == 5
    assert len(baseline.in_batches(images)) == 1
    assert baseline.in_batches(images)[0] > min(baseline.one_by_one(images, 5))


def test_a_baselines_process_prints_its_seconds_and_its_work(tmp_path, monkeypatch, capsys):
    folder = fill_folder(tmp_path / "images", 2)
    monkeypatch.setattr(
        "sys.argv", ["baseline", str(folder), *SIZES.as_arguments(), "--way", "any", "--count", "2"]
    )
    asked = []
    baseline_work.main(lambda sizes, way: asked.append((sizes, way)) or NETWORKS)

    assert asked == [(SIZES, "any")]
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["seconds"]) == 2
    assert printed["work"] == {"segmentation": {"macs": 10, "parameters": 3}}


def test_the_keras_networks_take_and_return_what_the_work_needs_and_have_our_decoder():
    pytest.importorskip("tensorflow")
    networks = keras_baseline.build(SIZES, keras_baseline.FUNCTION)
    images = np.random.default_rng(0).random((2, 32, 64, 3), dtype=np.float32) * 255

    probability = networks.segment(images)
    assert probability.shape == (2, 32, 64)
    assert 0 <= probability.min() <= probability.max() <= 1
    np.testing.assert_allclose(networks.classify(images[:, :, :32]).sum(axis=1), 1, atol=1e-4)

    from segmentation.model import build_unet  # noqa: PLC0415 - imports Keras

    assert networks.work["segmentation"] == keras_work(build_unet(SIZES.segmentation, None))
    default = keras_baseline.build(SIZES, keras_baseline.DEFAULT_DECODER).work["segmentation"]
    assert default.macs > 2 * networks.work["segmentation"].macs
    assert default.parameters > 2 * networks.work["segmentation"].parameters
