import base64

import cv2
import numpy as np

from pipeline.app.drawings import contour_path, evidence_range, evidence_uri


def decoded(uri) -> np.ndarray:
    content = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
    return cv2.imdecode(content, cv2.IMREAD_UNCHANGED)


def test_the_more_evidence_the_more_opaque():
    picture = decoded(evidence_uri(np.array([[[-3.0], [1.0]], [[1.0], [5.0]]], np.float32), 0, side=64))

    assert picture.shape == (64, 64, 4)
    assert picture[0, 0, 3] == 0 and picture[-1, -1, 3] == 255
    assert picture[0, 0, 3] < picture[0, -1, 3] < picture[-1, -1, 3]


def test_all_classes_share_one_scale():
    weak, strong = np.zeros((7, 7), np.float32), np.full((7, 7), 10, np.float32)
    weak[3, 3] = 1
    activation_map = np.dstack([weak, strong])

    assert evidence_range(activation_map) == (0, 10)
    assert decoded(evidence_uri(activation_map, 0))[:, :, 3].max() <= 26
    assert decoded(evidence_uri(activation_map, 1))[:, :, 3].min() == 255


def test_a_flat_map_shows_nothing():
    assert not decoded(evidence_uri(np.full((7, 7, 1), 2.5, np.float32), 0))[:, :, 3].any()


def test_the_outline_runs_along_the_masks_border():
    mask = np.zeros((10, 20), bool)
    mask[2:5, 3:9] = True

    assert contour_path(mask) == "M3.5,2.5 3.5,4.5 8.5,4.5 8.5,2.5Z"
    assert contour_path(np.zeros((10, 20), bool)) == ""
