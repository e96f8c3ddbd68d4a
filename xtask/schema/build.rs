//! Finds the kinds of the chosen release in the sources of the crate `k8s-openapi`, which has no list of them, and
//! writes `kinds.rs`: one call of `kind` for each. So no kind can be forgotten when a release brings one.

use std::path::{Path, PathBuf};
use std::process::Command;

type Failed = Box<dyn std::error::Error>;

/// What the sources say of a type that is a kind, with its name behind.
const MARK: &str = "impl crate::Resource for ";

fn main() -> Result<(), Failed> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.lock");
    let on = |feature: &str| std::env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some();
    let release = (29..=37).map(|minor| format!("v1_{minor}")).find(|release| on(release));
    let release = release.ok_or("choose a release: --features v1_37")?;
    let version = if on("older") { "0.24.0" } else { "0.29.0" };
    let sources = crate_folder(version)?.join("src").join(release);
    let mut kinds = Vec::new();
    find(&sources, &mut Vec::new(), &mut kinds)?;
    kinds.sort();
    let calls: String = kinds.iter().map(|kind| format!("kind::<k8s_openapi::{kind}>(generator, visit);\n")).collect();
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("kinds.rs");
    std::fs::write(out, format!("{{\n{calls}}}\n"))?;
    Ok(())
}

/// Where the sources of `k8s-openapi` are.
fn crate_folder(version: &str) -> Result<PathBuf, Failed> {
    let cargo = std::env::var("CARGO")?;
    let output = Command::new(cargo).args(["metadata", "--format-version", "1", "--all-features"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let found = packages.iter().find(|package| package["name"] == "k8s-openapi" && package["version"] == version);
    let manifest = found.and_then(|package| package["manifest_path"].as_str()).ok_or("k8s-openapi is not there")?;
    Ok(Path::new(manifest).parent().ok_or("a manifest is in a folder")?.to_owned())
}

/// Collects the kinds below a folder by their paths. Of what the API itself says of its groups only `Status` is a body.
fn find(folder: &Path, modules: &mut Vec<String>, kinds: &mut Vec<String>) -> Result<(), Failed> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            modules.push(name);
            find(&path, modules, kinds)?;
            modules.pop();
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        for line in text.lines().filter_map(|line| line.strip_prefix(MARK)) {
            let kind = line.split([' ', '<']).next().unwrap_or(line);
            let list = line.contains("List<") || kind.ends_with("List");
            if !list && (modules.first().is_some_and(|first| first != "apimachinery") || kind == "Status") {
                kinds.push(format!("{}::{kind}", modules.join("::")));
            }
        }
    }
    Ok(())
}
