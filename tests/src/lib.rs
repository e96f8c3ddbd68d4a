//! What the language means, and the machinery that holds the engine to it.
//!
//! * [`reference`] says what rules mean, from the typed IR alone, for clarity and not for speed. It shares no code with
//!   the engine.
pub mod reference;
