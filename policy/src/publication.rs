//! What a security team publishes: the files of one folder, or of one place on a static server.

mod consistency;
mod error;
mod files;

pub use error::{FileError, PublicationError};
pub use files::{Files, INVENTORY, MAX_LINES_BYTES, MAX_ROOTS, ORDERS, POLICY, ROOTS, TIMESTAMP};

use crate::{
    Envelope, InForce, Inventory, Orders, PayloadType, Policy, PolicyError, Role, Root, Timestamp,
    root::{RootDocument, RootError},
    timestamp::TimestampError,
};
use attestation::UnixTime;

/// How far ahead of the clock a timestamp may have been issued, in seconds: a day.
pub const MAX_AHEAD_SECONDS: u64 = 24 * 60 * 60;

/// The files, parsed; nothing is verified yet.
#[derive(Clone, Debug)]
pub struct Publication {
    roots: Vec<Envelope>,
    policy: Envelope,
    inventory: Option<Envelope>,
    orders: Vec<Envelope>,
    timestamp: Option<Envelope>,
}

type Verified<T> = Result<T, Vec<PublicationError>>;

impl Publication {
    /// Parses the files, each within its cap; the policy is required. All mistakes at once.
    pub fn parse(files: &Files) -> Result<Self, Vec<PublicationError>> {
        let mut errors = Vec::new();
        let (roots, orders) = (files.roots.as_deref(), files.orders.as_deref());
        let roots = files::lines(ROOTS, PayloadType::Root, roots);
        let policy = policy_of(files);
        let inventory = files.inventory.as_deref();
        let inventory = files::envelope(INVENTORY, PayloadType::Inventory, inventory);
        let orders = files::lines(ORDERS, PayloadType::Order, orders);
        let timestamp = files.timestamp.as_deref();
        let timestamp = files::envelope(TIMESTAMP, PayloadType::Timestamp, timestamp);
        let (roots, policy) = (told(roots, &mut errors), told(policy, &mut errors));
        let (inventory, orders) = (told(inventory, &mut errors), told(orders, &mut errors));
        let timestamp = told(timestamp, &mut errors);
        let whole = || {
            Some(Self {
                roots: roots?,
                policy: policy?,
                inventory: inventory?,
                orders: orders?,
                timestamp: timestamp?,
            })
        };
        whole().ok_or(errors)
    }

    /// Follows the rotations from `pinned`, then verifies each document under the newest root, and how they fit together (a timestamp names
    /// these documents and no newer ones). The time is `now`, or that of the timestamp if that is later.
    pub fn verify(&self, pinned: &Root, now: UnixTime) -> Result<InForce, Vec<PublicationError>> {
        let root = self.follow(pinned)?;
        let mut errors = Vec::new();
        let timestamp = told(self.timestamp(&root, now), &mut errors);
        let signed = timestamp.as_ref().and_then(Option::as_ref);
        let now = signed.map_or(now, |timestamp| now.max(timestamp.issued));
        let window = root.judge_window(now);
        errors.extend(window.err().map(|error| PublicationError::of(ROOTS, error)));
        let policy = told(self.policy(&root, now), &mut errors);
        let inventory = told(self.inventory(&root, now), &mut errors);
        let orders = told(self.orders(&root, signed), &mut errors);
        let whole = || {
            let orders = orders?;
            Some(InForce::of(root, policy?, inventory?, orders, timestamp?))
        };
        let Some(in_force) = whole().filter(|_| errors.is_empty()) else {
            return Err(errors);
        };
        consistency::judge(&in_force)?;
        Ok(in_force)
    }

    /// The newest root. Rotations up to the pinned version are those that the pinned root has come from: nobody needs them.
    fn follow(&self, pinned: &Root) -> Verified<Root> {
        let mut root = pinned.clone();
        let mut before: Option<u64> = None;
        for (index, envelope) in self.roots.iter().enumerate() {
            let next = step(&root, before, envelope);
            let (version, next) = next.map_err(|e| PublicationError::at(ROOTS, index, e))?;
            before = Some(version);
            root = next.unwrap_or(root);
        }
        Ok(root)
    }

    fn policy(&self, root: &Root, now: UnixTime) -> Verified<Policy> {
        let keys = root.required(Role::Policy).map_err(|e| of(POLICY, e))?;
        let policy = Policy::from_envelope(&self.policy, keys).map_err(|e| all(POLICY, e))?;
        begun(POLICY, policy.not_before(), now)?;
        Ok(policy)
    }

    fn inventory(&self, root: &Root, now: UnixTime) -> Verified<Option<Inventory>> {
        let Some(envelope) = &self.inventory else {
            return Ok(None);
        };
        let keys = root.required(Role::Inventory);
        let keys = keys.map_err(|e| of(INVENTORY, e))?;
        let inventory = Inventory::from_envelope(envelope, keys).map_err(|e| all(INVENTORY, e))?;
        begun(INVENTORY, inventory.not_before(), now)?;
        Ok(Some(inventory))
    }

    /// Starts that are later than the timestamp wait for the next one.
    fn orders(&self, root: &Root, timestamp: Option<&Timestamp>) -> Verified<Orders> {
        let last = |timestamp: &Timestamp| timestamp.orders.map_or(0, |listed| listed.version);
        let named = timestamp.map_or(u64::MAX, last);
        let mut orders = Orders::none();
        for (index, envelope) in self.orders.iter().enumerate() {
            let obeyed = orders.obey_named(envelope, root, named);
            obeyed.map_err(|errors| PublicationError::at(ORDERS, index, errors))?;
        }
        Ok(orders)
    }

    fn timestamp(&self, root: &Root, now: UnixTime) -> Verified<Option<Timestamp>> {
        let Some(envelope) = &self.timestamp else {
            return Ok(None);
        };
        let keys = root.required(Role::Timestamp);
        let keys = keys.map_err(|e| of(TIMESTAMP, e))?;
        let timestamp = Timestamp::from_envelope(envelope, keys).map_err(|e| all(TIMESTAMP, e))?;
        let issued = timestamp.issued;
        if issued.since(now) > MAX_AHEAD_SECONDS {
            return Err(of(TIMESTAMP, TimestampError::Future { issued }));
        }
        Ok(Some(timestamp))
    }
}

fn policy_of(files: &Files) -> Verified<Envelope> {
    let policy = files::envelope(POLICY, PayloadType::Policy, files.policy.as_deref())?;
    policy.ok_or_else(|| of(POLICY, FileError::NoPolicy))
}

/// One entry of [`ROOTS`] after the one with version `before`: its version, and the root if it is a newer one than `root`.
fn step(
    root: &Root,
    before: Option<u64>,
    envelope: &Envelope,
) -> Result<(u64, Option<Root>), Vec<PolicyError>> {
    let document = RootDocument::of(envelope)?;
    let found = document.version();
    if let Some(expected) = before
        .map(|before| before + 1)
        .filter(|next| *next != found)
    {
        return Err(vec![RootError::Version { expected, found }.into()]);
    }
    if root.role(Role::Root).is_none() || found > root.version() {
        return Ok((found, Some(root.rotated(envelope)?)));
    }
    if found == root.version() && document.digest() != root.digest() {
        return Err(vec![RootError::Other { version: found }.into()]);
    }
    Ok((found, None))
}

/// A version counts when it is obeyed: none is before its time.
fn begun(file: &'static str, not_before: UnixTime, now: UnixTime) -> Verified<()> {
    if now < not_before {
        return Err(of(file, FileError::NotBefore { not_before }));
    }
    Ok(())
}

fn of(file: &'static str, error: impl Into<PolicyError>) -> Vec<PublicationError> {
    vec![PublicationError::of(file, error)]
}

fn all(file: &'static str, errors: Vec<PolicyError>) -> Vec<PublicationError> {
    let of_file = |error| PublicationError::of(file, error);
    errors.into_iter().map(of_file).collect()
}

/// The value, or its errors among the others.
fn told<T>(result: Verified<T>, errors: &mut Vec<PublicationError>) -> Option<T> {
    result.map_err(|found| errors.extend(found)).ok()
}
