//! Facts to documents: one file per section, one per format.
