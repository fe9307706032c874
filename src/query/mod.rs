//! The expression language over `SeriesSource`.
