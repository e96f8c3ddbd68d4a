//! Container images: `[registry/]repository[:tag][@digest]`.

/// The parts of an image's name.
pub(super) struct Image {
    pub(super) registry: String,
    /// Without the registry.
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    pub(super) digest: Option<String>,
}

/// `None` if it is no image.
pub(super) fn parse(text: &str) -> Option<Image> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let last = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[last..].rfind(':') {
        Some(colon) => (&rest[..last + colon], Some(&rest[last + colon + 1..])),
        None => (rest, None),
    };
    let (registry, repository) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
        _ => ("docker.io", name),
    };
    if repository.is_empty() {
        return None;
    }
    let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
    let repository = if registry == "docker.io" && !repository.contains('/') {
        format!("library/{repository}")
    } else {
        repository.to_owned()
    };
    let some = |part: Option<&str>| part.filter(|p| !p.is_empty()).map(str::to_owned);
    Some(Image { registry: registry.to_owned(), repository, tag: some(tag), digest: some(digest) })
}
