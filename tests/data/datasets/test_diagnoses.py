"""Which classes count as malignant, and what becomes of labels that are not known."""

from data.datasets.diagnoses import DIAGNOSES, classes_of, diagnosis_name, malignancy, malignant_classes


def test_carcinomas_and_melanoma_are_malignant_and_a_precursor_alone_is_not() -> None:
    malignant = [code for code in DIAGNOSES if malignancy(code) == "malignant"]
    assert malignant == ["akiec", "bcc", "mel", "scc", "malignant"]
    assert malignancy("ak") == "benign"
    assert malignant_classes(["ak", "akiec", "nv"]) == [False, True, False]


def test_a_class_of_the_users_own_stands_for_itself_and_its_group_is_unknown() -> None:
    assert (diagnosis_name("wart"), malignancy("wart")) == ("wart", "unknown")
    assert classes_of(["nv", None, "wart", float("nan"), "nv"]) == ("nv", "wart")


def test_a_class_of_ones_own_can_be_declared_malignant():
    assert malignancy("merkel") == "unknown"
    assert malignancy("merkel", ["merkel"]) == "malignant"
    assert malignancy("scar", ["merkel"]) == "benign"
    assert malignant_classes(["merkel", "mel", "nv", "scar"], ["merkel"]) == [True, True, False, False]
