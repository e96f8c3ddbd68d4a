//! Making a state folder ours: it is made or known again, nobody else is in it, and strangers' files are left alone.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::Folder;
use super::disk::{names, sync_folder};
use crate::Error;

/// The file by which a folder is known, and that is locked.
const MARK: &str = "auditd-rules.state";
/// What stands in it. Of another form of the folder it would be another number.
const MARK_TEXT: &str = "state of auditd-rules, form 1; while a run is here it holds a lock on this file\n";
/// Up to here it is the same for every form.
const MARK_OF_ANY: &str = "state of auditd-rules, form ";
/// What a new file system has in its topmost folder.
const NOBODYS: &str = "lost+found";

/// Opens a state folder, and makes it if there is none. Gives what is to be said of it besides.
///
/// # Errors
/// If it is no folder, holds something else, is another run's, may be written to by others, or cannot be made or written to.
pub fn open(path: &Path) -> Result<(Folder, Vec<String>), Error> {
    let shown = path.display();
    make(path)?;
    let about = fs::metadata(path).map_err(|cause| Error::io("open", path, &cause))?;
    if !about.is_dir() {
        return Err(Error::failed(format!("{shown} is no folder; --state takes one, or makes it")));
    }
    let all = names(path).map_err(|cause| Error::io("read", path, &cause))?;
    let foreign = all.iter().find(|name| *name != NOBODYS);
    if let (Some(foreign), false) = (foreign, all.iter().any(|name| name == MARK)) {
        return Err(Error::failed(format!(
            "{shown} holds something else ({foreign}); --state takes a folder of its own, or makes it"
        )));
    }
    let mode = about.permissions().mode();
    if mode & 0o002 != 0 {
        return Err(Error::failed(format!(
            "everybody may write to {shown}, and so change what is remembered; chmod 700 {shown}"
        )));
    }
    let lock = lock(path)?;
    let others = mode & 0o077 != 0;
    let note =
        others.then(|| format!("others may look into {shown} (mode {:o}); chmod 700 {shown}", mode & 0o777));
    Ok((Folder::new(path, lock), note.into_iter().collect()))
}

fn make(path: &Path) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(cause) => Err(Error::io("make the folder", path, &cause)),
        Ok(()) => {
            let above = path.parent().filter(|above| !above.as_os_str().is_empty());
            // That may not be ours to read; then the folder is on the disk when the system thinks fit.
            let _as_it_is = sync_folder(above.unwrap_or(Path::new(".")));
            Ok(())
        }
    }
}

fn lock(path: &Path) -> Result<File, Error> {
    let shown = path.display();
    let mark = path.join(MARK);
    let failed = |cause: &io::Error| Error::io("write to", &mark, cause);
    let mut options = OpenOptions::new();
    let opened = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&mark);
    let mut file = opened.map_err(|cause| failed(&cause))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Error::failed(format!(
                "another run is using {shown}; each needs a folder of its own"
            )));
        }
        Err(TryLockError::Error(cause)) => return Err(Error::io("lock", &mark, &cause)),
    }
    let mut text = Vec::new();
    (&file).take(MARK_TEXT.len() as u64 + 1).read_to_end(&mut text).map_err(|cause| failed(&cause))?;
    if text == MARK_TEXT.as_bytes() {
        return Ok(file);
    }
    if text.starts_with(MARK_OF_ANY.as_bytes()) && text.len() >= MARK_TEXT.len() {
        return Err(Error::failed(format!("{shown} was made by another version of the program")));
    }
    // Nothing was saved before the mark was whole.
    if !MARK_TEXT.as_bytes().starts_with(&text) {
        return Err(Error::failed(format!(
            "{shown} is not a state folder of this program: {MARK} says otherwise"
        )));
    }
    let rest = MARK_TEXT.as_bytes().get(text.len()..).unwrap_or_default();
    file.write_all(rest).and_then(|()| file.sync_all()).map_err(|cause| failed(&cause))?;
    sync_folder(path).map_err(|cause| Error::io("write to", path, &cause))?;
    Ok(file)
}
