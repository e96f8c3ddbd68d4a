//! Under construction.

mod warn;
