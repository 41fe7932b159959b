//! The tables of `policy.redb`, and its one way in and out.
//!
//! Reading works on a copy in memory, every page of which is verified and, after a crash, repaired there: it needs no writable disk.
//! Every commit has two phases, so that a page which does not verify is damage, and never a reason to go back to the commit before.

use super::{Record, StoreError};
use crate::file;
use attestation::{Digest, UnixTime};
use policy::{
    Files, Remembered,
    publication::{INVENTORY, ORDERS, POLICY, ROOTS, TIMESTAMP},
};
use redb::{
    Builder, Database, Error, ReadableDatabase as _, ReadableTable, StorageBackend as _,
    StorageError, TableDefinition, WriteTransaction, backends::InMemoryBackend,
};
use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::Path,
};

/// The layout that this build writes and reads.
const SCHEMA: u64 = 1;

/// A publication is some megabytes at most, and redb keeps the one before beside it.
const MAX_DATABASE_BYTES: usize = 512 * 1024 * 1024;

/// Its pages are looked at once.
const CACHE_BYTES: usize = 1024 * 1024;

/// An anchor and the name of a file of [`Files`], which stands for its kind of document.
type Key = (&'static [u8; 32], &'static str);

const SCHEMAS: TableDefinition<'_, (), u64> = TableDefinition::new("schema");
/// Version (of orders: the last serial) and SHA-256 of the document.
const VERSIONS: TableDefinition<'_, Key, (u64, &[u8; 32])> = TableDefinition::new("versions");
/// The files of the publication obeyed last.
const FILES: TableDefinition<'_, Key, &[u8]> = TableDefinition::new("files");
/// Seconds since 1970.
const OBEYED_AT: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("obeyed_at");

/// What is kept under `anchor`; an absent file is an empty memory.
pub(super) fn read(path: &Path, anchor: &Digest) -> Result<Record, StoreError> {
    let image = match file::read_public(path, MAX_DATABASE_BYTES) {
        Ok(image) => image,
        Err(error) if error.is_absent() => return Ok(Record::default()),
        Err(error) => return Err(error.into()),
    };
    if image.is_empty() {
        return Err(StoreError::corrupt(path, "it is empty"));
    }
    let read = open_image(&image).and_then(|database| record(&database, anchor));
    read.map_err(|error| StoreError::corrupt(path, error.to_string()))
}

/// Keeps `record` under `anchor`, durably, or leaves what was there.
pub(super) fn write(path: &Path, anchor: &Digest, record: &Record) -> Result<(), StoreError> {
    if !path.exists() {
        create(path)?;
    }
    let database = builder().open(path).map_err(Error::from);
    database
        .and_then(|database| replace(&database, anchor, record))
        .map_err(|error| failed(path, error))
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn open_image(image: &[u8]) -> Result<Database, Error> {
    let memory = InMemoryBackend::new();
    memory.set_len(image.len() as u64)?;
    memory.write(0, image)?;
    let mut builder = builder();
    builder.set_check_integrity_on_open(true);
    Ok(builder.create_with_backend(memory)?)
}

/// Made beside its place and moved there: a process killed meanwhile leaves no half of it.
fn create(path: &Path) -> Result<(), StoreError> {
    let beside = path.with_extension("redb.new");
    let refused = |source| StoreError::write(&beside, source);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(refused(error)),
        _ => {}
    }
    let database = builder().create(&beside).map_err(Error::from);
    database
        .and_then(|database| lay_out(&database).map(|()| database))
        .and_then(|database| Ok(database.close()?))
        .map_err(|error| failed(&beside, error))?;
    fs::rename(&beside, path).map_err(refused)?;
    let directory = path.parent().unwrap_or(Path::new("."));
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(refused)
}

fn lay_out(database: &Database) -> Result<(), Error> {
    let transaction = begin(database)?;
    transaction.open_table(SCHEMAS)?.insert((), SCHEMA)?;
    transaction.open_table(VERSIONS)?;
    transaction.open_table(FILES)?;
    transaction.open_table(OBEYED_AT)?;
    Ok(transaction.commit()?)
}

fn begin(database: &Database) -> Result<WriteTransaction, Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

fn replace(database: &Database, anchor: &Digest, record: &Record) -> Result<(), Error> {
    let transaction = begin(database)?;
    {
        let mut versions = transaction.open_table(VERSIONS)?;
        for (name, version) in versions_of(&record.remembered) {
            match version {
                Some((version, digest)) => versions.insert((anchor, name), (*version, digest))?,
                None => versions.remove((anchor, name))?,
            };
        }
        let mut files = transaction.open_table(FILES)?;
        for name in Files::NAMES {
            match record.files.as_ref().and_then(|files| files.get(name)) {
                Some(bytes) => files.insert((anchor, name), bytes)?,
                None => files.remove((anchor, name))?,
            };
        }
        let mut obeyed_at = transaction.open_table(OBEYED_AT)?;
        if let Some(UnixTime(seconds)) = record.remembered.obeyed_at {
            obeyed_at.insert(anchor, seconds)?;
        }
    }
    Ok(transaction.commit()?)
}

fn record(database: &Database, anchor: &Digest) -> Result<Record, Error> {
    let transaction = database.begin_read()?;
    let schema = transaction.open_table(SCHEMAS)?.get(())?;
    if schema.map(|schema| schema.value()) != Some(SCHEMA) {
        return Err(Error::Corrupted("unknown schema".to_owned()));
    }
    let versions = transaction.open_table(VERSIONS)?;
    let version = |name| -> Result<_, StorageError> {
        let found = versions.get((anchor, name))?;
        Ok(found.map(|found| (found.value().0, *found.value().1)))
    };
    let obeyed_at = transaction.open_table(OBEYED_AT)?.get(anchor)?;
    let remembered = Remembered {
        root: version(ROOTS)?,
        policy: version(POLICY)?,
        inventory: version(INVENTORY)?,
        orders: version(ORDERS)?,
        timestamp: version(TIMESTAMP)?,
        obeyed_at: obeyed_at.map(|seconds| UnixTime(seconds.value())),
    };
    let files = read_files(&transaction.open_table(FILES)?, anchor)?;
    Ok(Record { remembered, files })
}

/// Without a policy there is no publication.
fn read_files(
    table: &impl ReadableTable<Key, &'static [u8]>,
    anchor: &Digest,
) -> Result<Option<Files>, Error> {
    let mut files = Files::default();
    for name in Files::NAMES {
        let found = table.get((anchor, name))?;
        if let Some(place) = files.get_mut(name) {
            *place = found.map(|bytes| bytes.value().to_vec());
        }
    }
    Ok(files.policy.is_some().then_some(files))
}

fn versions_of(remembered: &Remembered) -> [(&'static str, &Option<(u64, Digest)>); 5] {
    [
        (ROOTS, &remembered.root),
        (POLICY, &remembered.policy),
        (INVENTORY, &remembered.inventory),
        (ORDERS, &remembered.orders),
        (TIMESTAMP, &remembered.timestamp),
    ]
}

/// What an error of a writing transaction means: the image was verified before.
fn failed(path: &Path, error: Error) -> StoreError {
    match error {
        Error::DatabaseAlreadyOpen => StoreError::Busy {
            path: path.to_owned(),
        },
        Error::Io(source) => StoreError::write(path, source),
        Error::PreviousIo => StoreError::write(path, io::Error::other(error)),
        error => StoreError::corrupt(path, error.to_string()),
    }
}
