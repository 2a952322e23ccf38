import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from classification.ood import OODDetector, Scale
from pipeline.bundle.loading import BundleError, SecondLook, TTACalibration, load_bundle

ROOT = Path(__file__).parents[3]


def edit(folder, **changes):
    """Change facts of a bundle.json that has no hash of its own; a value of None removes the fact."""
    path = folder / "bundle.json"
    facts = json.loads(path.read_text()) | {"sha256": None} | changes
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
        "second_look": {"temperature": 1.2, "abstention_threshold": 0.5, "below_confidence": 0.7},
        "familiarity": {"energy": scale, "unevenness": scale, "threshold": -4.0},
    }
    newer = load_bundle(make_bundle(tmp_path / "newer", **facts))
    older = load_bundle(make_bundle(tmp_path / "older"))

    assert newer.tta == TTACalibration(temperature=1.5, abstention_threshold=0.6)
    assert newer.second_look == SecondLook(1.2, 0.5, 0.7)
    assert newer.ood == OODDetector(Scale(2.0, 0.5), Scale(2.0, 0.5), threshold=-4.0)
    assert (older.tta, older.second_look, older.ood) == (None, None, None)


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


def test_a_bundle_that_is_replaced_leaves_the_users_own_files(make_bundle, tmp_path):
    folder, splits = tmp_path / "bundle", tmp_path / "splits.csv"
    splits.write_text("image_id,split\na,train\n")
    make_bundle(folder, splits=splits)
    (folder / "report" / "pictures").mkdir(parents=True)
    (folder / "report" / "pictures" / "1.png").write_bytes(b"mine")
    (folder / "notes.txt").write_text("mine")
    (folder / "latest").symlink_to("report")
    make_bundle(folder, name="second")

    assert load_bundle(folder).name == "second"
    assert sorted(path.name for path in folder.iterdir()) == [
        "bundle.json",
        "classification.tflite",
        "latest",
        "notes.txt",
        "report",
        "segmentation.tflite",
    ]
    assert (folder / "latest" / "pictures" / "1.png").read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


KILLED_BETWEEN_TWO_RENAMES = """
import os, pathlib, signal, sys
from data.files import replacing_folder
rename = pathlib.Path.replace
def once(path, target):
    rename(path, target)
    os.kill(os.getpid(), signal.SIGKILL)
pathlib.Path.replace = once
with replacing_folder(sys.argv[1]):
    pass
"""


def test_a_bundle_whose_writer_was_killed_between_its_two_renames_still_loads(make_bundle, tmp_path):
    folder = make_bundle(tmp_path / "bundle", name="first")
    subprocess.run([sys.executable, "-c", KILLED_BETWEEN_TWO_RENAMES, folder], check=False, cwd=ROOT)
    assert not folder.exists()
    assert load_bundle(folder).name == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_what_an_earlier_version_wrote_is_replaced_as_well(make_bundle, tmp_path):
    folder = make_bundle(tmp_path / "bundle")
    edit(folder, files=None)
    (folder / "MODEL_CARD.md").write_text("of the first bundle")
    make_bundle(folder)
    assert not (folder / "MODEL_CARD.md").exists()


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


@pytest.mark.parametrize("text", ["", "{", "not json", "[]", "null", '"text"', "[" * 100_000])
def test_a_bundle_json_that_is_no_table_is_refused(bundle_copy, text):
    (bundle_copy / "bundle.json").write_text(text)
    with pytest.raises(
        BundleError, match=r"bundle\.json: (is not valid JSON|states no known format_version)"
    ):
        load_bundle(bundle_copy)


def test_classes_that_were_exchanged_are_refused(bundle_copy):
    manifest = json.loads((bundle_copy / "bundle.json").read_text())
    (bundle_copy / "bundle.json").write_text(json.dumps(dict(sorted(manifest.items()))))
    load_bundle(bundle_copy)  # another order and layout say the same

    manifest["classes"] = manifest["classes"][::-1]
    (bundle_copy / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"bundle\.json: was changed after it was written"):
        load_bundle(bundle_copy)


def test_a_bundle_of_a_version_that_had_no_hash_still_loads(bundle_copy):
    edit(bundle_copy, sha256=None, files=None)
    assert load_bundle(bundle_copy).name == "rules"


def exchange_model(folder, content):
    """Give a bundle another segmentation, with the hash that it must have."""
    (folder / "segmentation.tflite").write_bytes(content)
    stated = json.loads((folder / "bundle.json").read_text())["segmentation"]
    edit(folder, segmentation=stated | {"sha256": hashlib.sha256(content).hexdigest()})


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: b"no model" + content[8:], "is no LiteRT model"),
        (lambda content: content[: len(content) // 2], "the model's file is damaged"),
        (lambda content: content[:8] + bytes(len(content) - 8), "the model's file is damaged"),
        (lambda content: content[:200] + bytes(200) + content[400:], "segmentation.tflite: "),
    ],
    ids=["other file", "half", "zeros", "zeroed block"],
)
def test_a_crafted_model_with_the_right_hash_is_refused(bundle_copy, damage, reason):
    exchange_model(bundle_copy, damage((bundle_copy / "segmentation.tflite").read_bytes()))
    with pytest.raises(BundleError, match=reason):
        load_bundle(bundle_copy)


def test_a_model_that_crashes_takes_only_its_trial_with_it(bundle_copy, monkeypatch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import os\nos.kill(os.getpid(), 6)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    exchange_model(bundle_copy, (bundle_copy / "segmentation.tflite").read_bytes() + b"new")
    with pytest.raises(BundleError, match=r"the model crashes LiteRT \(SIGABRT\)"):
        load_bundle(bundle_copy)


def test_a_model_that_has_passed_is_not_tried_again(bundle_folder, monkeypatch):
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("tried again"))
    load_bundle(bundle_folder)


def test_the_bundle_that_ships_is_not_tried(monkeypatch, tmp_path):
    monkeypatch.setenv("LESION_CACHE", str(tmp_path))
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("tried"))
    load_bundle()


@pytest.mark.parametrize("stage", ["segmentation", "classification"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_model_that_says_no_numbers_is_refused(bundle_copy, spoilt_model, stage, value):
    content = spoilt_model(stage, value)
    (bundle_copy / f"{stage}.tflite").write_bytes(content)
    stated = json.loads((bundle_copy / "bundle.json").read_text())[stage]
    edit(bundle_copy, **{stage: stated | {"sha256": hashlib.sha256(content).hexdigest()}})
    with pytest.raises(BundleError, match=rf"{stage}\.tflite: the model's file is damaged \(.* no number\)"):
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
        (
            {"second_look": {"temperature": 1, "abstention_threshold": 0.5, "below_confidence": 1.1}},
            "below_confidence must be a number from 0 to 1 and is 1.1",
        ),
        ({"familiarity": {"energy": {}, "unevenness": {}}}, "mean must be a number"),
        (
            {"familiarity": {"energy": {"mean": 0, "deviation": 0}, "unevenness": {}}},
            "deviation must be a number",
        ),
        ({"appearance": {"mean": [10**400]}}, "appearance must hold lists of numbers"),
        ({"segmentation": {"file": "../segmentation.tflite"}}, "file must name a file inside the folder"),
        ({"segmentation": {"file": "x" * 300}}, "file must name a file, and .* is too long"),
        ({"segmentation": {"file": "a\n\x1b[31m"}}, r"inside the folder and is .a\\n\\x1b"),
        ({"classes": ["mel", "n\nv"]}, "classes must be two or more different names, each of one line"),
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
