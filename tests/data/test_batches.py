"""Batches depend on the seed and the epoch alone, and hold what they say."""

import numpy as np
import pytest

from data.augmentation import Augmentation
from data.batches import Batches, ClassificationBatches, SegmentationBatches, mixed, sampling_weights


class Positions(Batches):
    """Batches whose inputs are the positions of the images, and whose targets are the seeds."""

    def make_batch(self, positions: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.array(positions), np.array(seeds)


def epoch_of(batches: Batches) -> list[int]:
    return np.concatenate([batches[index][0] for index in range(len(batches))]).tolist()


def noise(count: int, side: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def classification_batches(
    images: np.ndarray, labels: list[int] | None = None, **settings
) -> ClassificationBatches:
    labels = [0] * len(images) if labels is None else labels
    return ClassificationBatches(
        images, np.array(labels), 2, **({"input_side": 32, "batch_size": 4} | settings)
    )


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own() -> None:
    batches = Positions(10, 4, shuffle=True, seed=0)
    assert len(batches) == 3
    first = epoch_of(batches)
    batches.on_epoch_end()
    second = epoch_of(batches)
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_unshuffled_images_come_in_their_order() -> None:
    assert epoch_of(Positions(7, 3, shuffle=False, seed=0)) == list(range(7))


def test_another_seed_gives_another_order() -> None:
    assert epoch_of(Positions(30, 8, shuffle=True, seed=0)) != epoch_of(
        Positions(30, 8, shuffle=True, seed=1)
    )


def test_a_batch_is_the_same_whatever_was_asked_for_before() -> None:
    images, labels = noise(20), [0, 1] * 10
    strong = Augmentation("classification", "strong")
    through, resumed = (
        classification_batches(images, labels, augmentation=strong, sampling="balanced", seed=5)
        for _ in range(2)
    )
    for _ in range(2):
        for index in range(len(through)):
            through[index]
        through.on_epoch_end()
    resumed.epoch = 2
    resumed[0]
    expected = through[3]
    for found, known in zip(resumed[3], expected, strict=True):
        assert np.array_equal(found, known)


def test_each_image_of_each_epoch_has_its_own_random_changes() -> None:
    batches = Positions(12, 4, shuffle=True, seed=0)
    seeds = []
    for epoch in range(3):
        batches.epoch = epoch
        seeds += [seed for index in range(3) for seed in batches[index][1].tolist()]
    assert len(set(seeds)) == 36


def test_the_time_spent_on_batches_is_counted() -> None:
    batches = classification_batches(noise(8))
    assert batches.seconds == 0
    batches[0]
    once = batches.seconds
    batches[1]
    assert 0 < once < batches.seconds


@pytest.mark.parametrize(
    ("sampling", "shares"),
    [("natural", (0.9, 0.1)), ("square-root", (0.75, 0.25)), ("balanced", (0.5, 0.5))],
)
def test_a_class_is_drawn_as_often_as_its_sampling_says(sampling: str, shares: tuple[float, float]) -> None:
    labels = [0] * 900 + [1] * 100
    batches = classification_batches(
        np.zeros((1000, 2, 2, 3), np.uint8),
        labels,
        input_side=2,
        batch_size=1000,
        augmentation=Augmentation("classification", "none"),
        sampling=sampling,
    )
    _, targets = batches[0]
    assert len(targets) == 1000
    assert targets.mean(axis=0) == pytest.approx(shares, abs=0.05)


def test_natural_sampling_has_no_weights() -> None:
    assert sampling_weights(np.array([0, 0, 1]), "natural") is None


@pytest.mark.parametrize("sampling", ["natural", "square-root", "balanced"])
def test_an_image_of_weight_2_is_drawn_as_two_would_be(sampling: str) -> None:
    labels = np.array([0, 0, 0, 1])
    weighted = sampling_weights(labels, sampling, np.array([1.0, 1.0, 2.0, 1.0]))
    plain = sampling_weights(np.array([0, 0, 0, 0, 1]), sampling)
    twice = np.ones(5) if plain is None else plain
    assert weighted == pytest.approx([*twice[:2], twice[2] + twice[3], twice[4]])


def test_labels_become_one_hot_targets() -> None:
    _, targets = classification_batches(noise(3), [1, 0, 1])[0]
    assert targets.dtype == np.float32
    assert targets.tolist() == [[0, 1], [1, 0], [0, 1]]


def coordinates(side: int = 200) -> np.ndarray:
    """An image that holds its column in red and its row in green."""
    rows, columns = np.mgrid[:side, :side]
    return np.stack([columns, rows, np.zeros_like(rows)], axis=2).astype(np.uint8)[None]


def seen_box(batches: ClassificationBatches, seed: int) -> tuple[float, float, float]:
    """Centre x, centre y and side, in pixels, of what the classifier sees of `coordinates`."""
    image = batches.make_batch(np.array([0]), np.array([seed]))[0][0].astype(float)
    columns, rows = image[..., 0], image[..., 1]
    growth = len(image) / (len(image) - 1)
    return columns.mean(), rows.mean(), (columns[:, -1] - columns[:, 0]).mean() * growth


def test_the_box_is_what_the_classifier_sees() -> None:
    batches = classification_batches(coordinates(), boxes=np.array([[0.6, 0.4, 0.5]]))
    assert seen_box(batches, seed=0) == pytest.approx((120, 80, 100), abs=1.5)


def test_jitter_moves_and_resizes_the_box_within_its_bounds() -> None:
    batches = classification_batches(coordinates(), boxes=np.array([[0.5, 0.5, 0.5]]), jitter=0.1)
    boxes = np.array([seen_box(batches, seed) for seed in range(40)])
    assert (np.abs(boxes - 100) <= 12).all()
    assert (boxes.std(axis=0) > 3).all()


def test_a_jittered_box_stays_inside_the_region() -> None:
    batches = classification_batches(coordinates(), boxes=np.array([[0.1, 0.9, 0.5]]), jitter=0.5)
    for seed in range(40):
        x, y, side = seen_box(batches, seed)
        assert x - side / 2 >= -2
        assert y + side / 2 <= 202


def test_the_whole_region_is_seen_where_there_are_no_boxes() -> None:
    images = noise(1)
    assert np.array_equal(classification_batches(images)[0][0], images)


def test_a_sample_is_spread_over_the_set_and_unchanged() -> None:
    images = noise(9)
    batches = classification_batches(images, augmentation=None)
    assert np.array_equal(batches.sample(3), images[[0, 4, 8]])
    assert np.array_equal(batches.sample(100), images)


def test_masks_are_the_lesions_part_of_a_pixel() -> None:
    masks = np.full((1, 32, 32), 255, np.uint8)
    masks[:, :, ::4] = 0
    images, soft = SegmentationBatches(noise(1), masks, (16, 8), batch_size=1)[0]
    assert images.shape == (1, 16, 8, 3)
    assert images.dtype == np.uint8
    assert soft.shape == (1, 16, 8, 1)
    assert soft.dtype == np.float32
    assert soft == pytest.approx(0.75, abs=0.01)


def test_an_augmented_mask_goes_where_its_image_goes() -> None:
    masks = np.zeros((6, 64, 64), np.uint8)
    masks[:, 10:40, 30:60] = 255
    images = np.repeat((masks // 2 + 60)[..., None], 3, axis=3)
    batches = SegmentationBatches(images, masks, (64, 64), 6, Augmentation("segmentation", "strong"), seed=2)
    augmented, moved = batches[0]
    for image, mask in zip(augmented.mean(axis=3), moved[..., 0], strict=True):
        shown, lesion = image > (image.min() + image.max()) / 2, mask > 0.5
        assert (shown & lesion).sum() / (shown | lesion).sum() > 0.9
    assert not np.array_equal(moved[..., 0] * 255, masks)


def test_mixup_blends_images_as_it_blends_their_labels() -> None:
    images = np.stack([np.full((2, 2, 3), value, np.uint8) for value in (0, 200)] * 8)
    labels = np.tile(np.eye(2, dtype=np.float32), (8, 1))
    blended, soft = mixed(images, labels, alpha=1.0, seed=0)
    assert blended.dtype == np.uint8
    assert np.allclose(blended[:, 0, 0, 0], 200 * soft[:, 1], atol=0.5)
    assert np.allclose(soft.sum(axis=1), 1)
    assert np.array_equal(soft.argmax(axis=1), labels.argmax(axis=1))
    assert 0 < (soft.max(axis=1) < 1).sum() < 16


def test_mixup_is_a_matter_of_the_training_batches_and_of_their_seed() -> None:
    images, labels = noise(8), [0, 1] * 4
    plain = classification_batches(images, labels)[0]
    first, second = (classification_batches(images, labels, mixup=0.4)[0] for _ in range(2))
    other = classification_batches(images, labels, mixup=0.4, seed=1)[0]
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert not np.array_equal(first[0], plain[0])
    assert not np.array_equal(first[1], other[1])


@pytest.mark.parametrize(("count", "sizes"), [(10, [4, 4, 2]), (9, [4, 4]), (8, [4, 4]), (1, [])])
def test_several_devices_get_equal_parts_of_every_batch(count: int, sizes: list[int]) -> None:
    batches = Positions(count, 4, shuffle=True, seed=0)
    batches.multiple = 2
    assert [len(batches[index][0]) for index in range(len(batches))] == sizes
    first = epoch_of(batches) if sizes else []
    assert len(set(first)) == sum(sizes)
