"""DICOM in and DICOM out: images from a PACS, and results that a PACS keeps. Needs the extra `dicom`."""
