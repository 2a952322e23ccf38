from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pipeline.bundle.litert import LiteRTModel, ModelError, tensor_shapes


def grey_steps(shape=(48, 64, 3)):
    """An image that is black on the left and white on the right."""
    return np.broadcast_to(np.linspace(0, 255, shape[1]).astype(np.uint8)[None, :, None], shape).copy()


def test_a_model_is_a_function_from_image_to_arrays(model_files):
    model = LiteRTModel(model_files["segmentation"])
    (probability,) = model(grey_steps())

    assert model.input_shape == (48, 64, 3)
    assert probability.shape == (48, 64, 1)
    assert probability.dtype == np.float32
    assert (probability[:, :30] > 0.5).all() and (probability[:, 34:] < 0.5).all()


@pytest.mark.parametrize("integers", ["int8", "uint8"])
def test_a_quantised_model_takes_and_returns_the_same_ranges(model_files, integers):
    (expected,) = LiteRTModel(model_files["segmentation"])(grey_steps())
    (probability,) = LiteRTModel(model_files[f"segmentation-{integers}"])(grey_steps())

    assert probability.dtype == np.float32
    np.testing.assert_allclose(probability, expected, atol=0.06)


def test_outputs_with_the_fewest_axes_come_first(model_files):
    logits, activation_map = LiteRTModel(model_files["classification"])(np.zeros((32, 32, 3), np.uint8))

    assert logits.shape == (7,)
    assert activation_map.shape == (4, 4, 7)


def test_a_later_call_leaves_earlier_outputs_alone(model_files):
    model = LiteRTModel(model_files["segmentation"])
    (dark,) = model(np.zeros((48, 64, 3), np.uint8))
    model(np.full((48, 64, 3), 255, np.uint8))

    assert (dark > 0.5).all()


def test_calls_from_several_threads_get_each_their_own_answer(model_files):
    model = LiteRTModel(model_files["segmentation"], threads=1, at_once=2)
    images = [np.full((48, 64, 3), brightness, np.uint8) for brightness in range(0, 256, 5)]
    expected = [model(image)[0] for image in images]

    with ThreadPoolExecutor(4) as pool:
        found = [probability for (probability,) in pool.map(model, images)]

    np.testing.assert_array_equal(found, expected)
    assert model.at_once == 2


@pytest.mark.parametrize("image", [np.zeros((48, 64), np.uint8), np.zeros((48, 64, 3), np.float32)])
def test_an_image_of_another_form_is_refused(model_files, image):
    with pytest.raises(ValueError, match=r"expected a uint8 image of shape \(48, 64, 3\)"):
        LiteRTModel(model_files["segmentation"])(image)


def test_shapes_are_told_without_running_the_model(model_files):
    assert tensor_shapes(model_files["classification"]) == ((32, 32, 3), ((7,), (4, 4, 7)))


@pytest.mark.parametrize("content", [b"", b"no model", None])
def test_a_file_that_is_no_model_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "broken.tflite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.tflite"):
        LiteRTModel(path)


def test_a_truncated_model_is_an_error(model_files, tmp_path):
    path = tmp_path / "short.tflite"
    path.write_bytes(model_files["segmentation"].read_bytes()[:-600])
    with pytest.raises(ModelError, match=r"short\.tflite"):
        LiteRTModel(path)


def test_loading_prints_nothing(model_files, capfd):
    LiteRTModel(model_files["segmentation"])
    assert capfd.readouterr() == ("", "")
