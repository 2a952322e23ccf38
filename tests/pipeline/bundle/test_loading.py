import json

import pytest

from classification.ood import OODDetector, Scale
from pipeline.bundle.loading import BundleError, TTACalibration, load_bundle


def edit(folder, **changes):
    """Change facts of a bundle.json; a value of None removes the fact."""
    path = folder / "bundle.json"
    facts = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in facts.items() if value is not None}))


def test_a_saved_bundle_loads_with_all_its_facts(make_bundle, tmp_path):
    folder = make_bundle(tmp_path / "bundle", threshold=0.4, view="full", training={"images": 12})
    bundle = load_bundle(folder)

    assert (bundle.threshold, bundle.view, bundle.training) == (0.4, "full", {"images": 12})
    assert bundle.classes == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    assert bundle.segmentation.input_shape == (48, 64, 3)
    assert bundle.segmentation_path == folder / "segmentation.tflite"
    assert bundle.splits_path is None


def test_facts_that_older_bundles_lack_are_optional(make_bundle, tmp_path):
    scale = {"mean": 2.0, "deviation": 0.5}
    facts = {
        "flips": {"temperature": 1.5, "abstention_threshold": 0.6},
        "familiarity": {"energy": scale, "unevenness": scale, "threshold": -4.0},
    }
    newer = load_bundle(make_bundle(tmp_path / "newer", **facts))
    older = load_bundle(make_bundle(tmp_path / "older"))

    assert newer.tta == TTACalibration(temperature=1.5, abstention_threshold=0.6)
    assert newer.ood == OODDetector(Scale(2.0, 0.5), Scale(2.0, 0.5), threshold=-4.0)
    assert (older.tta, older.ood) == (None, None)


def test_a_split_is_kept_and_checked(make_bundle, tmp_path):
    splits = tmp_path / "splits.csv"
    splits.write_text("image_id,split\na,train\n")

    bundle = load_bundle(make_bundle(tmp_path / "bundle", splits=splits))
    assert bundle.splits_path.read_text() == splits.read_text()

    bundle.splits_path.write_text("image_id,split\na,test\n")
    with pytest.raises(BundleError, match=r"splits\.csv: is damaged"):
        load_bundle(tmp_path / "bundle")


def test_a_bundle_replaces_an_earlier_one(make_bundle, tmp_path):
    make_bundle(tmp_path / "bundle", name="first")
    make_bundle(tmp_path / "bundle", name="second")

    assert load_bundle(tmp_path / "bundle").name == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_folder_with_other_files_is_not_replaced(make_bundle, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").write_bytes(b"irreplaceable")

    with pytest.raises(BundleError, match="holds other files"):
        make_bundle(tmp_path / "photos")
    assert (tmp_path / "photos" / "holiday.jpg").read_bytes() == b"irreplaceable"


def test_a_bundle_that_would_not_load_is_not_saved(make_bundle, tmp_path):
    with pytest.raises(BundleError, match="activation map of the 2 classes"):
        make_bundle(tmp_path / "bundle", classes=["benign", "malignant"])
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_bundle_is_refused_with_the_mend(bundle_copy, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.keras").touch()
    for path, mend in [
        (bundle_copy / "bundle.json", "give the folder that holds bundle.json"),
        (tmp_path / "missing", "no such folder"),
        (tmp_path / "empty", "`lesion export` makes one"),
        (tmp_path / "run", "run folder"),
    ]:
        with pytest.raises(BundleError, match=mend) as raised:
            load_bundle(path)
        assert str(raised.value).startswith(f"{path}: ")


@pytest.mark.parametrize("name", ["segmentation.tflite", "classification.tflite"])
def test_a_missing_or_truncated_model_is_refused(bundle_copy, name):
    content = (bundle_copy / name).read_bytes()
    (bundle_copy / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError, match=f"{name}: is damaged or was exchanged"):
        load_bundle(bundle_copy)

    (bundle_copy / name).unlink()
    with pytest.raises(BundleError, match=f"{name}: is missing"):
        load_bundle(bundle_copy)


@pytest.mark.parametrize("text", ["", "{", "not json", "[]", "null", '"text"'])
def test_a_bundle_json_that_is_no_table_is_refused(bundle_copy, text):
    (bundle_copy / "bundle.json").write_text(text)
    with pytest.raises(
        BundleError, match=r"bundle\.json: (is not valid JSON|states no known format_version)"
    ):
        load_bundle(bundle_copy)


def test_a_newer_format_asks_for_a_newer_version(bundle_copy):
    edit(bundle_copy, format_version=2)
    with pytest.raises(BundleError, match="has format 2 and this version reads 1; install a newer"):
        load_bundle(bundle_copy)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"threshold": 1.5}, "threshold must be a number from 0 to 1 and is 1.5"),
        ({"threshold": "0.5"}, "threshold must be a number"),
        ({"threshold": True}, "threshold must be a number"),
        ({"temperature": 0}, "temperature must be"),
        ({"temperature": float("nan")}, "temperature must be a number from 0.01 to 100 and is NaN"),
        ({"crop_margin": -0.1}, "crop_margin must be"),
        ({"abstention_threshold": None}, "abstention_threshold must be"),
        ({"view": "both"}, 'view must be one of crop, full and is "both"'),
        ({"classes": ["nv"]}, "classes must be two or more different names"),
        ({"classes": ["nv"] * 7}, "classes must be two or more different names"),
        ({"classes": [[], "nv"]}, "classes must be two or more different names"),
        ({"value_range": [0, 1]}, r"value_range must be \[0, 255\]"),
        ({"name": None}, "name is missing"),
        ({"training": []}, "training must be a table"),
        ({"flips": {"temperature": 1}}, "abstention_threshold must be a number from 0 to 1 and is null"),
        ({"familiarity": {"energy": {}, "unevenness": {}}}, "mean must be a number"),
        (
            {"familiarity": {"energy": {"mean": 0, "deviation": 0}, "unevenness": {}}},
            "deviation must be a number",
        ),
        ({"segmentation": {"file": "../segmentation.tflite"}}, "file must name a file inside the folder"),
    ],
)
def test_a_fact_out_of_its_range_is_refused(bundle_copy, changes, reason):
    edit(bundle_copy, **changes)
    with pytest.raises(BundleError, match=reason):
        load_bundle(bundle_copy)


def test_facts_that_differ_from_the_models_are_refused(bundle_copy):
    facts = json.loads((bundle_copy / "bundle.json").read_text())
    edit(bundle_copy, segmentation=facts["segmentation"] | {"input_shape": [96, 64, 3]})
    with pytest.raises(BundleError, match=r"takes 48 x 64 x 3 and bundle\.json says 96 x 64 x 3"):
        load_bundle(bundle_copy)

    edit(bundle_copy, segmentation=facts["segmentation"], classes=["benign", "malignant", "unknown"])
    with pytest.raises(BundleError, match="logits and an activation map of the 3 classes"):
        load_bundle(bundle_copy)


def test_models_given_for_each_other_are_refused(bundle_copy):
    facts = json.loads((bundle_copy / "bundle.json").read_text())
    edit(bundle_copy, segmentation=facts["classification"], classification=facts["segmentation"])
    with pytest.raises(BundleError, match="one map of the lesion's probability"):
        load_bundle(bundle_copy)
