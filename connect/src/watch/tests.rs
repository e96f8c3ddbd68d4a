use std::sync::atomic::AtomicBool;

use super::*;

#[test]
fn a_change_wakes_and_a_look_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.rule");
    std::fs::write(&file, "one").unwrap();
    let watch = Watch::new(&[folder.path().to_owned(), file.clone()]).unwrap();
    let stop = AtomicBool::new(false);
    std::fs::write(&file, "two").unwrap();
    assert!(watch.wait(&stop));
    // A file that is replaced, as editors do it.
    let beside = folder.path().join("b.tmp");
    std::fs::write(&beside, "three").unwrap();
    std::fs::rename(&beside, &file).unwrap();
    assert!(watch.wait(&stop));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "three");
    stop.store(true, Ordering::Relaxed);
    assert!(!watch.wait(&stop));
}

#[test]
fn what_is_not_there_cannot_be_watched() {
    let error = Watch::new(&[PathBuf::from("no/such/folder/a.rule")]).unwrap_err();
    assert!(error.to_string().starts_with("cannot watch no/such/folder: "), "{error}");
}
