//! What may come into force here: what verifies under the root and succeeds what is remembered.

use super::{PolicyKeeperError, memory::Memory};
use crate::{Clock as _, PolicyClock, policy_store::Record};
use policy::{
    Files, InForce, Publication, PublicationError, Remembered, Root, Timestamp,
    publication::{MAX_AHEAD_SECONDS, TIMESTAMP},
    timestamp::TimestampError,
};
use std::{path::Path, sync::Arc};

/// One root, what was obeyed under it, and the clock that both move forward.
pub(super) struct Succession {
    root: Root,
    memory: Memory,
    clock: Arc<PolicyClock>,
}

/// Files that nobody has verified.
pub(super) struct Offer {
    pub(super) files: Files,
    /// For error messages.
    pub(super) from: String,
}

/// What is in force, and remembered to be.
pub(super) struct Obeyed {
    pub(super) files: Files,
    pub(super) in_force: InForce,
}

impl Succession {
    pub(super) fn new(root: Root, state: Option<&Path>, clock: Arc<PolicyClock>) -> Self {
        let memory = Memory::new(state, *root.anchor());
        Self {
            root,
            memory,
            clock,
        }
    }

    pub(super) const fn root(&self) -> &Root {
        &self.root
    }

    pub(super) const fn clock(&self) -> &Arc<PolicyClock> {
        &self.clock
    }

    /// Takes `offer` if it is good; then it is remembered before this returns. Of one that is not, new stops are taken if they are good: a
    /// stop does not wait until everything published beside it is right. [`Self::last_good`] has them then.
    pub(super) fn obey(&self, offer: Offer) -> Result<Obeyed, PolicyKeeperError> {
        let orders = offer.files.orders.clone();
        self.obey_whole(offer).inspect_err(|_| {
            // The refusal of the whole is what is told.
            drop(self.obey_orders(orders));
        })
    }

    /// Takes `orders` beside everything else that was obeyed last.
    fn obey_orders(&self, orders: Option<Vec<u8>>) -> Result<Obeyed, PolicyKeeperError> {
        let good = self.memory.record()?.files;
        let good = good.filter(|good| orders.is_some() && orders != good.orders);
        let good = good.ok_or(PolicyKeeperError::NothingOffered)?;
        let beside = |files| Offer {
            files,
            from: "the orders beside the last good publication".to_owned(),
        };
        let before = self.verify(&beside(good.clone()))?;
        let offer = beside(Files { orders, ..good });
        let after = self.verify(&offer)?;
        let mut stopped = before.orders().iter();
        // A start waits for all that was published with it.
        if stopped.any(|(target, _)| after.orders().stopped(target).is_none()) {
            return Err(PolicyKeeperError::NothingOffered);
        }
        self.obey_whole(offer)
    }

    fn obey_whole(&self, offer: Offer) -> Result<Obeyed, PolicyKeeperError> {
        let mut obeyed = None;
        self.memory.update(|record| {
            self.rise_to(record);
            let in_force = self.verify(&offer)?;
            self.not_ahead(record, &offer, &in_force)?;
            let after = self.after(record, &offer, &in_force)?;
            obeyed = Some((in_force, after.clone()));
            let known = same_documents(&record.remembered, &after)
                && record.files.as_ref() == Some(&offer.files);
            Ok::<_, PolicyKeeperError>((!known).then(|| Record {
                remembered: after,
                files: Some(offer.files.clone()),
            }))
        })?;
        let (in_force, after) = obeyed.ok_or(PolicyKeeperError::NothingOffered)?;
        Ok(self.obeyed(offer.files, in_force, after))
    }

    /// The publication that was obeyed last, if it is known; an error if it is not good any more.
    pub(super) fn last_good(&self) -> Result<Option<Obeyed>, PolicyKeeperError> {
        let record = self.memory.record()?;
        self.rise_to(&record);
        let Some(files) = record.files.clone() else {
            return Ok(None);
        };
        let offer = Offer {
            files,
            from: "the last good publication".to_owned(),
        };
        let in_force = self.verify(&offer)?;
        let after = self.after(&record, &offer, &in_force)?;
        if !same_documents(&record.remembered, &after) {
            return Ok(None);
        }
        Ok(Some(self.obeyed(offer.files, in_force, after)))
    }

    fn verify(&self, offer: &Offer) -> Result<InForce, PolicyKeeperError> {
        let parsed = Publication::parse(&offer.files);
        let verified = parsed.and_then(|parsed| parsed.verify(&self.root, self.clock.now()));
        verified.map_err(|mistakes| PolicyKeeperError::Publication {
            from: offer.from.clone(),
            mistakes,
        })
    }

    /// A timestamp that is new here is held against the system's clock, not against one that earlier timestamps have moved: else whoever holds
    /// that one key could move it day by day, and end every document.
    fn not_ahead(
        &self,
        record: &Record,
        offer: &Offer,
        in_force: &InForce,
    ) -> Result<(), PolicyKeeperError> {
        let known = record.remembered.timestamp.map(|(_, digest)| digest);
        let is_new = |timestamp: &&Timestamp| Some(timestamp.digest) != known;
        let Some(timestamp) = in_force.timestamp().filter(is_new) else {
            return Ok(());
        };
        let issued = timestamp.issued;
        if issued.since(self.clock.system_now()) <= MAX_AHEAD_SECONDS {
            return Ok(());
        }
        Err(PolicyKeeperError::Publication {
            from: offer.from.clone(),
            mistakes: vec![PublicationError {
                file: TIMESTAMP,
                entry: None,
                error: TimestampError::Future { issued }.into(),
            }],
        })
    }

    fn rise_to(&self, record: &Record) {
        let obeyed_at = record.remembered.obeyed_at;
        obeyed_at
            .into_iter()
            .for_each(|time| self.clock.at_least(time));
    }

    /// What is remembered once `in_force` is obeyed: it succeeds what the host remembers, and what this process has obeyed.
    fn after(
        &self,
        record: &Record,
        offer: &Offer,
        in_force: &InForce,
    ) -> Result<Remembered, PolicyKeeperError> {
        let now = self.clock.now();
        let own = self.memory.own().after(in_force, now);
        let after = own.and_then(|_| record.remembered.after(in_force, now));
        after.map_err(|mistakes| PolicyKeeperError::Succession {
            from: offer.from.clone(),
            mistakes,
        })
    }

    /// It is not before its timestamp was signed. Orders tell no time: whoever may only stop could end every document with one.
    fn obeyed(&self, files: Files, in_force: InForce, after: Remembered) -> Obeyed {
        let signed = in_force.timestamp().map(|timestamp| timestamp.issued);
        signed
            .into_iter()
            .for_each(|time| self.clock.at_least(time));
        self.memory.obeyed(after);
        Obeyed { files, in_force }
    }
}

fn same_documents(one: &Remembered, other: &Remembered) -> bool {
    let timeless = |remembered: &Remembered| Remembered {
        obeyed_at: None,
        ..remembered.clone()
    };
    timeless(one) == timeless(other)
}
