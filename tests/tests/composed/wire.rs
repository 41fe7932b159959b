//! A wire that does harm at one byte of one direction, and none before it is told to.

use super::pipes::PipeDialer;
use client::Connector;
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream},
    task::AbortHandle,
    time::{sleep, timeout},
};

/// Bytes that are repeated, or exchanged with as many after them.
pub(crate) const SEGMENT_BYTES: usize = 24;
/// Shorter than every limit of the product.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the end that connected.
    Request,
    Response,
}

/// What happens at the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Harm {
    /// One of its bits is flipped.
    Flip,
    /// The direction ends before it, cleanly as TCP sees it; the other goes on.
    Cut,
    /// The connection is gone.
    Reset,
    /// It and those after it come twice.
    Repeat,
    /// It and those after it change places with as many after them.
    Swap,
    /// It comes late.
    Delay,
    /// Neither it nor anything after it ever comes, and nothing ends.
    Stall,
}

impl Harm {
    pub(crate) const ALL: [Self; 7] = [
        Self::Flip,
        Self::Cut,
        Self::Reset,
        Self::Repeat,
        Self::Swap,
        Self::Delay,
        Self::Stall,
    ];

    /// Whether an exchange survives it.
    pub(crate) const fn is_harmless(self) -> bool {
        matches!(self, Self::Delay)
    }

    /// Bytes that must be at hand before it can be done.
    const fn window(self) -> usize {
        match self {
            Self::Flip => 1,
            Self::Repeat => SEGMENT_BYTES,
            Self::Swap => 2 * SEGMENT_BYTES,
            Self::Cut | Self::Reset | Self::Delay | Self::Stall => 0,
        }
    }

    /// `window` bytes, or fewer where no more came.
    fn rewrite(self, mut window: Vec<u8>, offset: usize) -> Vec<u8> {
        match self {
            Self::Flip => window
                .iter_mut()
                .for_each(|byte| *byte ^= 1 << (offset % 8)),
            Self::Repeat => window.extend_from_within(..),
            Self::Swap => {
                let first = SEGMENT_BYTES.min(window.len());
                window.rotate_left(first);
            }
            Self::Cut | Self::Reset | Self::Delay | Self::Stall => {}
        }
        window
    }
}

/// Which harm, and where: `offset` counts the direction's bytes from [`Wire::arm`] on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) harm: Harm,
    pub(crate) direction: Direction,
    pub(crate) offset: usize,
}

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    done: bool,
    passed: [usize; 2],
    open: Vec<AbortHandle>,
}

/// Stands before one address.
#[derive(Clone)]
pub(crate) struct Wire {
    to: PipeDialer,
    state: Arc<Mutex<State>>,
}

/// How a direction goes on after the faulty byte.
enum Next {
    Pass,
    End,
    Reset,
    Never,
}

impl Wire {
    pub(crate) fn before(to: PipeDialer) -> Self {
        Self {
            to,
            state: Arc::default(),
        }
    }

    /// Cuts what is open and counts from 0; `None` does no harm.
    pub(crate) async fn arm(&self, fault: Option<Fault>) {
        let open = {
            let mut state = self.state.lock().unwrap();
            let open = std::mem::take(&mut state.open);
            *state = State {
                fault,
                ..State::default()
            };
            open
        };
        open.iter().for_each(AbortHandle::abort);
        // Both ends see it, so that neither takes up an old connection.
        sleep(Duration::from_millis(1)).await;
    }

    /// Bytes that passed since [`Self::arm`].
    pub(crate) fn passed(&self, direction: Direction) -> usize {
        self.state.lock().unwrap().passed[direction as usize]
    }

    /// Whether the faulty byte was reached.
    pub(crate) fn is_done(&self) -> bool {
        self.state.lock().unwrap().done
    }

    pub(crate) fn connector(&self) -> Connector {
        let wire = self.clone();
        Connector::new(move |_| {
            let dialed = wire.dial();
            async move { dialed }
        })
    }

    fn dial(&self) -> io::Result<DuplexStream> {
        let far = self.to.dial()?;
        let (near, middle) = tokio::io::duplex(16 * 1024);
        let carried = tokio::spawn(self.clone().carry(middle, far));
        self.state.lock().unwrap().open.push(carried.abort_handle());
        Ok(near)
    }

    /// Both directions, until one of them takes the connection with it or both have ended.
    async fn carry(self, near: DuplexStream, far: DuplexStream) {
        let (near_read, near_write) = tokio::io::split(near);
        let (far_read, far_write) = tokio::io::split(far);
        let _ = tokio::try_join!(
            self.pass(Direction::Request, near_read, far_write),
            self.pass(Direction::Response, far_read, near_write),
        );
    }

    async fn pass(
        &self,
        direction: Direction,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let n = from.read(&mut buffer).await?;
            if n == 0 {
                return to.shutdown().await;
            }
            let Some((before, fault)) = self.meets(direction, n) else {
                to.write_all(&buffer[..n]).await?;
                continue;
            };
            to.write_all(&buffer[..before]).await?;
            let window = fill(&mut from, &buffer[before..n], fault.harm.window()).await?;
            let (harmed, rest) = window.split_at(fault.harm.window().min(window.len()));
            let rewritten = fault.harm.rewrite(harmed.to_vec(), fault.offset);
            match next(fault.harm).await {
                Next::Pass => to.write_all(&[&rewritten, rest].concat()).await?,
                Next::End => return to.shutdown().await,
                Next::Reset => return Err(io::ErrorKind::ConnectionReset.into()),
                Next::Never => std::future::pending().await,
            }
        }
    }

    /// Counts `n` bytes; where the faulty one is among them, how many come before it.
    fn meets(&self, direction: Direction, n: usize) -> Option<(usize, Fault)> {
        let mut state = self.state.lock().unwrap();
        let passed = state.passed[direction as usize];
        state.passed[direction as usize] += n;
        let fault = state.fault.filter(|fault| fault.direction == direction)?;
        let before = fault
            .offset
            .checked_sub(passed)
            .filter(|before| *before < n)?;
        state.done = true;
        Some((before, fault))
    }
}

/// At least `wanted` bytes beginning with `at_hand`, or what comes before the end or the pause.
async fn fill(
    from: &mut (impl AsyncRead + Unpin),
    at_hand: &[u8],
    wanted: usize,
) -> io::Result<Vec<u8>> {
    let mut window = at_hand.to_vec();
    while window.len() < wanted {
        match timeout(PAUSE, from.read_buf(&mut window)).await {
            Ok(Ok(1..)) => {}
            Ok(Ok(0)) | Err(_) => break,
            Ok(Err(error)) => return Err(error),
        }
    }
    Ok(window)
}

async fn next(harm: Harm) -> Next {
    match harm {
        Harm::Flip | Harm::Repeat | Harm::Swap => Next::Pass,
        Harm::Delay => {
            sleep(PAUSE).await;
            Next::Pass
        }
        Harm::Cut => Next::End,
        Harm::Reset => Next::Reset,
        Harm::Stall => Next::Never,
    }
}
