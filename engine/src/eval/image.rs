//! Image references: `[registry/]repository[:tag][@digest]`, with the defaults that container runtimes put in.

#[derive(Debug, PartialEq)]
pub(super) struct Image {
    pub(super) registry: String,
    /// With the registry in front.
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    pub(super) digest: Option<String>,
}

/// Nothing if the repository is empty or the text has a blank in it.
pub(super) fn parse(text: &str) -> Option<Image> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let last_part = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (rest, tag) = match rest[last_part..].rfind(':') {
        Some(colon) => (&rest[..last_part + colon], Some(&rest[last_part + colon + 1..])),
        None => (rest, None),
    };
    let (registry, repository) = match rest.split_once('/') {
        Some((first, repository)) if first.contains(['.', ':']) || first == "localhost" => {
            (if first == "index.docker.io" { "docker.io" } else { first }, repository)
        }
        _ => ("docker.io", rest),
    };
    if repository.is_empty() {
        return None;
    }
    let library = if registry == "docker.io" && !repository.contains('/') { "library/" } else { "" };
    let filled = |part: Option<&str>| part.filter(|p| !p.is_empty()).map(str::to_owned);
    Some(Image {
        registry: registry.to_owned(),
        repository: format!("{registry}/{library}{repository}"),
        tag: filled(tag),
        digest: filled(digest),
    })
}
