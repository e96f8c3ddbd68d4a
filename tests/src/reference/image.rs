//! Container images: `[registry/]repository[:tag][@digest]`, taken apart by one pattern.

use std::sync::LazyLock;

use regex::Regex;

/// The parts of an image's name.
pub(super) struct Image {
    pub(super) registry: String,
    /// Without the registry.
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    pub(super) digest: Option<String>,
}

/// A first part is a registry if it has a dot or a colon or is `localhost`; a tag has no slash, and no colon behind it; all
/// from the first `@` on is the digest.
static PARTS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?xs)
        ^ (?: (?<registry> [^/@]* [.:] [^/@]* | localhost ) / )?
          (?<repository> [^@]*? )
          (?: : (?<tag> [^/:@]* ) )?
          (?: @ (?<digest> .* ) )? $";
    #[expect(clippy::expect_used, reason = "the pattern stands here")]
    Regex::new(pattern).expect("a pattern")
});

/// `None` if it is no image.
pub(super) fn parse(text: &str) -> Option<Image> {
    if text.chars().any(char::is_whitespace) {
        return None;
    }
    let parts = PARTS.captures(text)?;
    let part = |name: &str| parts.name(name).map(|found| found.as_str().to_owned());
    let repository = part("repository").filter(|name| !name.is_empty())?;
    let registry =
        part("registry").unwrap_or_else(|| "docker.io".to_owned()).replace("index.docker.io", "docker.io");
    let official = registry == "docker.io" && !repository.contains('/');
    Some(Image {
        repository: if official { format!("library/{repository}") } else { repository },
        registry,
        tag: part("tag").filter(|tag| !tag.is_empty()),
        digest: part("digest").filter(|digest| !digest.is_empty()),
    })
}
