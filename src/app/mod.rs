//! Composition root, command line, logging.
