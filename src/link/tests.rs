//! Tests of whole links.
