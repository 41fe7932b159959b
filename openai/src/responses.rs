//! `POST /v1/responses`: one answer to a conversation that the client sends whole. Nothing of it is kept.

mod input;
mod items;
mod object;
mod read;
mod stream;

pub(crate) use object::Echo;
pub(crate) use read::read_response;
pub(crate) use stream::ResponseRendering;
