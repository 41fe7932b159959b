//! Many sealed streams at once through one gateway: a synthetic node feeds them, a client with few TLS connections reads them, and the gateway
//! is a process of its own whose memory and processor time are looked up.

mod client;
mod gateway_under_load;
mod record;
mod upstream;

pub use record::RECORD_BYTES;

use crate::fleet::{Fleet, Tees};
use client::{Client, Ended, Failure};
use gateway_under_load::GatewayUnderLoad;
use std::{
    collections::HashSet,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet};
use upstream::Upstream;

const MODEL: &str = "synthetic";
const MODEL_DIGEST: [u8; 32] = [2; 32];
/// How long anything may take before the run is given up.
const PATIENCE: Duration = Duration::from_secs(180);
/// Between two looks at something that is awaited.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections to nodes that idle are closed after five seconds, which is looked after every five; what they hold is free then.
const SETTLED_AFTER: Duration = Duration::from_secs(12);

/// What is done to the gateway.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Streams at once; also the gateway's limit, so that one leaked slot fails the next wave.
    pub streams: usize,
    /// TLS connections that carry them.
    pub connections: usize,
    /// Between two records of one stream.
    pub pace: Duration,
    /// How long all streams are held open.
    pub hold: Duration,
    /// How often.
    pub waves: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// Resident bytes of the gateway before the first stream.
    pub idle_bytes: u64,
    /// Each wave.
    pub waves: Vec<Wave>,
    /// Resident bytes once the last wave was over.
    pub settled_bytes: u64,
    /// Answers that the gateway itself counts as complete, and as ended in any other way.
    pub ends: (u64, u64),
    /// Exchanges that it still holds.
    pub in_flight: u64,
}

/// One wave: everything opened, held, ended.
#[derive(Debug)]
pub struct Wave {
    /// Exchanges that the gateway held when all streams had given their first record.
    pub held: u64,
    /// Until then.
    pub opening: Duration,
    /// Resident bytes of the gateway at the end of the hold.
    pub held_bytes: u64,
    /// Records relayed during the hold, and the gateway's processor time for them.
    pub during_hold: (u64, Duration),
    /// Records that the node sent, and that the client read from streams that ended as they must.
    pub records: (u64, u64),
    /// Streams that ended as they must, each with a number of its own.
    pub whole: usize,
}

impl Load {
    /// Puts the load on a gateway that `program` runs when it is called with `gateway DIRECTORY`.
    pub async fn run(&self, program: &Path) -> Result<Report, Failure> {
        let now = crate::stack::now();
        let fleet = Fleet::invent(now);
        let node = fleet.nodes(Tees::Snp).pop().ok_or("a node")?;
        let upstream = Upstream::start(node, self, now).await?;
        let gateway = GatewayUnderLoad::start(program, &fleet, upstream.address, self)?;
        let idle_bytes = gateway.resident_bytes()?;
        let mut waves = Vec::new();
        for _ in 0..self.waves {
            waves.push(self.wave(&gateway, &upstream).await?);
        }
        tokio::time::sleep(SETTLED_AFTER.min(4 * self.hold)).await;
        Ok(Report {
            idle_bytes,
            waves,
            settled_bytes: gateway.resident_bytes()?,
            ends: gateway.ends().await?,
            in_flight: gateway.in_flight().await?,
        })
    }

    async fn wave(&self, gateway: &GatewayUnderLoad, upstream: &Upstream) -> Result<Wave, Failure> {
        let client = Client::connect(&gateway.directory, gateway.public, self.connections).await?;
        let (sent_before, begun) = (upstream.records(), Instant::now());
        let held = Arc::new(Semaphore::new(0));
        let mut reading = client.open(self.streams, &held);
        self.all_held(&held, &mut reading).await?;
        let (held, opening) = (gateway.in_flight().await?, begun.elapsed());
        let (records, used) = (upstream.records(), gateway.processor_time()?);
        tokio::time::sleep(self.hold).await;
        let during_hold = (
            upstream.records() - records,
            gateway.processor_time()? - used,
        );
        let held_bytes = gateway.resident_bytes()?;
        upstream.end_streams();
        let (whole, read) = tally(reading).await?;
        gateway.until_nothing_in_flight().await?;
        Ok(Wave {
            held,
            opening,
            held_bytes,
            during_hold,
            records: (upstream.records() - sent_before, read),
            whole,
        })
    }

    /// Until every stream has given its first record, or one of them has ended.
    async fn all_held(
        &self,
        held: &Semaphore,
        reading: &mut JoinSet<Ended>,
    ) -> Result<(), Failure> {
        let streams = u32::try_from(self.streams)?;
        let all = tokio::time::timeout(PATIENCE, held.acquire_many(streams));
        tokio::select! {
            all = all => {
                all??.forget();
                Ok(())
            }
            Some(ended) = reading.join_next() => {
                ended??;
                Err("a stream ended before it was told to".into())
            }
        }
    }
}

/// How many streams ended as they must, and how many records they had.
async fn tally(mut reading: JoinSet<Ended>) -> Result<(usize, u64), Failure> {
    let mut numbers = HashSet::new();
    let mut records = 0;
    let all = async {
        while let Some(ended) = reading.join_next().await {
            let (number, read) = ended??;
            numbers.insert(number);
            records += read;
        }
        Ok::<_, Failure>(())
    };
    tokio::time::timeout(PATIENCE, all).await??;
    Ok((numbers.len(), records))
}
