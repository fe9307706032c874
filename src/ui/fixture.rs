//! A made-up machine for tests: the story of the reference screens.
