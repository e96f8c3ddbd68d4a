//! Lists the shipped rules, so that the binary carries them: every `*.rule` below `rules/`, in the order of their paths.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../rules");
    let root = root.canonicalize()?;
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rule") {
                files.push(path);
            }
        }
    }
    files.sort();
    let entry = |path: &PathBuf| {
        println!("cargo::rerun-if-changed={}", path.display());
        let name = Path::new("rules").join(path.strip_prefix(&root).unwrap_or(path));
        format!("    ({:?}, include_str!({:?})),\n", name.display().to_string(), path.display().to_string())
    };
    let list: String = files.iter().map(entry).collect();
    let text = format!("&[\n{list}]\n");
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join("shipped.rs"), text)
}
