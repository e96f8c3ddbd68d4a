//! Which of the newer forms cases are made of.
//!
//! A form is in here once the checker, the engine and the reference all have it. `AUDIT_FORMS=a,b` (or `all`) tries others.

/// All that are held.
const HELD: &[&str] = &[];

/// Whether cases have this form.
pub(super) fn made(form: &str) -> bool {
    static TRIED: std::sync::LazyLock<Option<String>> =
        std::sync::LazyLock::new(|| std::env::var("AUDIT_FORMS").ok());
    match TRIED.as_deref() {
        Some("all") => true,
        Some(tried) => tried.split(',').any(|one| one == form) || HELD.contains(&form),
        None => HELD.contains(&form),
    }
}

/// One of those that cases have, if there is one.
pub(super) fn one_of(choices: &mut super::Choices<'_>, forms: &[&'static str]) -> Option<&'static str> {
    let made: Vec<_> = forms.iter().copied().filter(|form| made(form)).collect();
    (!made.is_empty()).then(|| choices.word(&made))
}
