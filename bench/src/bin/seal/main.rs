//! The sealed channel against crates `ohttp` and `hpke`, and against raw AES-256-GCM of the library that it uses itself: per chunk of an
//! answer, per request, and the runtime's whole way of an answer.

mod chunks;
mod ohttp_server;
mod requests;
mod response;

use bench::node::Node;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let node = Node::admit()?;
    chunks::compare()?;
    requests::compare(&node)?;
    response::compare(&node)
}
