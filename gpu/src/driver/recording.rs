//! A step as one graph.

use std::sync::Arc;

use cudarc::driver::{
    CudaGraph, CudaStream,
    sys::{CUgraphInstantiate_flags, CUstreamCaptureMode},
};

use super::number;
use crate::DeviceError;

/// Launches, instantiated as a graph, and the stream of the device whose memory and kernels they use.
pub struct Recording {
    graph: CudaGraph,
    stream: Arc<CudaStream>,
}

#[expect(unsafe_code, reason = "handles of the driver")]
// SAFETY: a graph is the context's, not a thread's, and launching binds the context to the thread. It is not `Sync`: two
// threads never use it at the same time.
unsafe impl Send for Recording {}

impl Recording {
    /// Captures what `launch` does on `stream`.
    pub(super) fn of(
        stream: &Arc<CudaStream>,
        launch: impl FnOnce() -> Result<(), DeviceError>,
    ) -> Result<Self, DeviceError> {
        let failed = |error| DeviceError::Graph(number(&error));
        let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        stream.begin_capture(mode).map_err(failed)?;
        let launched = launch();
        // Ends the capture also where a launch was refused.
        let graph = stream.end_capture(CUgraphInstantiate_flags(0));
        launched?;
        let graph = graph.map_err(failed)?.ok_or(DeviceError::Graph(0))?;
        graph.upload().map_err(failed)?;
        Ok(Self {
            graph,
            stream: Arc::clone(stream),
        })
    }

    /// Runs it, if `stream` is its own device's: another's would not keep alive what it uses.
    pub(super) fn replay_on(&self, stream: &Arc<CudaStream>) -> Result<(), DeviceError> {
        if !Arc::ptr_eq(&self.stream, stream) {
            return Err(DeviceError::ForeignMemory);
        }
        let launched = self.graph.launch();
        launched.map_err(|error| DeviceError::Launch(number(&error)))
    }
}
