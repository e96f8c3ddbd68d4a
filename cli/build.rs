//! Lists the shipped rules, so that the binary carries them: every `*.rule` below `rules/`, in the order of their paths, and
//! every other file beside them, as a list or table may take its values from it.

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
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if path.is_dir() {
                open.push(path);
            } else if !hidden {
                println!("cargo::rerun-if-changed={}", path.display());
                files.push(path);
            }
        }
    }
    files.sort();
    let (rules, values): (Vec<_>, Vec<_>) =
        files.iter().partition(|path| path.extension().is_some_and(|ending| ending == "rule"));
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join("shipped.rs"), list(&root, &rules, "include_str"))?;
    fs::write(out.join("shipped_values.rs"), list(&root, &values, "include_bytes"))
}

fn list(root: &Path, files: &[&PathBuf], include: &str) -> String {
    let entry = |path: &&PathBuf| {
        let name = Path::new("rules").join(path.strip_prefix(root).unwrap_or(path));
        format!("    ({:?}, {include}!({:?})),\n", name.display().to_string(), path.display().to_string())
    };
    format!("&[\n{}]\n", files.iter().map(entry).collect::<String>())
}
