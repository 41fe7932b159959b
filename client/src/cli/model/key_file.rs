//! Key files of models: 64 hexadecimal digits, for their owner's eyes only.

use super::super::{Exit, Failure, files};
use crate::archive;
use sealed_model::ModelKey;
use std::{fs::File, io, os::unix::fs::PermissionsExt, path::Path};

/// Reads the key in `path`, which must be its owner's alone.
pub(super) fn read(path: &Path) -> Result<ModelKey, Failure> {
    if path == Path::new("-") {
        let message = "a key is not read from standard input";
        return Err(
            Failure::usage("model.key.stdin", message).advice("give a file that only you can read")
        );
    }
    let unreadable = |error: io::Error| files::unreadable(path, &error);
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(open_to_others(path));
    }
    let key = ModelKey::read(file).map_err(unreadable)?;
    key.ok_or_else(|| {
        let message = format!(
            "{} holds no model key: 64 hexadecimal digits",
            path.display()
        );
        Failure::new(Exit::Malformed, "model.key.malformed", message)
            .advice("`narthex model keygen` makes one")
    })
}

fn open_to_others(path: &Path) -> Failure {
    let shown = path.display();
    let message = format!("{shown} can be used by others than its owner");
    Failure::usage("model.key.permissions", message).advice(format!(
        "chmod 600 {shown}, and take a new key if others may have read it"
    ))
}

/// Makes a key and writes it to `path`, where nothing was before.
pub(super) fn make(path: &Path) -> Result<ModelKey, Failure> {
    let no_key = || Failure::new(Exit::Internal, "model.keygen", "no key could be made");
    let key = ModelKey::generate().ok_or_else(no_key)?;
    let written = archive::write_private_new(path, key.to_file().as_bytes());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => files::unwritable(path, &error),
    })?;
    Ok(key)
}

fn exists(path: &Path) -> Failure {
    let message = format!("{} exists already", path.display());
    Failure::usage("model.key.exists", message).advice(
        "choose another name, keys are never overwritten; a sealing that was interrupted goes on with --key",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Barrier, thread};

    #[test]
    fn of_several_that_make_one_key_one_does() {
        const MAKERS: usize = 4;
        let folder = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let path = folder.path().join(format!("{round}.key"));
            let start = Barrier::new(MAKERS);
            let make = || {
                start.wait();
                make(&path)
            };
            let made = thread::scope(|scope| {
                let makers = [(); MAKERS].map(|()| scope.spawn(make));
                makers.map(|maker| maker.join().unwrap())
            });
            let (keys, refused): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
            assert_eq!(keys.len(), 1);
            let key = keys.into_iter().next().unwrap().unwrap();
            assert_eq!(read(&path).unwrap().id(), key.id());
            let mut codes = refused.into_iter().map(|made| made.err().unwrap().code);
            assert!(codes.all(|code| code == "model.key.exists"));
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 20);
    }
}
