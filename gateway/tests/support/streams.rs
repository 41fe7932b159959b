//! Exchanges whose answers a test makes part by part.

use super::{
    HANG, Stack,
    client::{Version, envelope, fed},
    node::{FakeNode, sealed_stream},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{Response, body::Incoming};
use listener::body;
use tokio::sync::mpsc;

pub type Feed = mpsc::Sender<Result<Bytes, listener::BoxError>>;

/// `node-1`, which hands the streams of its answers to the test, one for each envelope.
pub async fn fed_by_hand() -> (FakeNode, mpsc::Receiver<Feed>) {
    named_and_fed_by_hand("node-1").await
}

/// The same, of another name.
pub async fn named_and_fed_by_hand(name: &str) -> (FakeNode, mpsc::Receiver<Feed>) {
    let (feeds, received) = mpsc::channel(8);
    let node = FakeNode::serving(name, move |_| {
        let feeds = feeds.clone();
        async move {
            let (feed, stream) = fed();
            feeds.send(feed).await.unwrap();
            sealed_stream(stream)
        }
    })
    .await;
    (node, received)
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

pub async fn next_part(response: &mut Response<Incoming>) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        let frame = within(response.body_mut().frame()).await?;
        match frame.map(|frame| frame.into_data().unwrap()) {
            // HTTP/2 may end with an empty frame.
            Ok(data) if data.is_empty() => {}
            part => return Some(part),
        }
    }
}

/// An exchange under way: its first part has arrived, and the node has more to say.
pub struct UnderWay {
    pub response: Response<Incoming>,
    pub feed: Feed,
}

impl UnderWay {
    pub async fn begin(
        stack: &Stack,
        version: Version,
        node: &str,
        feeds: &mut mpsc::Receiver<Feed>,
    ) -> Self {
        let sent = stack.send(version, envelope(node, body::full("envelope")));
        let response = sent.await.unwrap();
        let feed = within(feeds.recv()).await.unwrap();
        let mut begun = Self { response, feed };
        begun.goes_on().await;
        begun
    }

    /// Another part arrives.
    pub async fn goes_on(&mut self) {
        self.feed
            .send(Ok(Bytes::from_static(b"part")))
            .await
            .unwrap();
        assert_eq!(
            next_part(&mut self.response).await.unwrap().unwrap(),
            "part"
        );
    }

    /// The stream breaks off, and the node hears of it; nobody sends anything meanwhile.
    pub async fn breaks_off(mut self) {
        assert!(next_part(&mut self.response).await.unwrap().is_err());
        within(self.feed.closed()).await;
    }
}
