//! Each warning fires where it should, and stays silent where it should.
