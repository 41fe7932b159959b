//! Older documents, offered again: to each of the three, and by a node that obeys them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod shared;

use shared::{
    scene::{Scene, policy_of_version, said, until},
    stream::Stream,
};
use tests::publication::Reader;

/// Each of the three refuses what is older than it has obeyed, and goes on under what it obeyed.
#[test]
fn an_older_policy_offered_again_is_refused() {
    let mut scene = Scene::begin("older", &policy_of_version(5));
    scene.until_asking_succeeds();
    let older = scene.team.clone();
    scene.publish_policy(&policy_of_version(6));
    scene.until_the_runtime_says("policy_version=6");
    scene.until_asking_succeeds();
    scene.publish(&older);
    scene.until_the_runtime_says("policy.rollback");
    scene.until_the_gateway_says("policy.rollback");
    scene.until_asking_tells("policy.rollback");
}

/// The runtime's host shows it an older policy after a restart, which its empty memory cannot tell. A client that has seen the newer one
/// refuses the node, until it obeys that again.
#[test]
fn a_node_that_obeys_an_older_policy_than_seen_is_refused() {
    let mut scene = Scene::begin("older-node", &policy_of_version(5));
    let older = scene.team.clone();
    scene.publish_policy(&policy_of_version(6));
    scene.until_the_runtime_says("policy_version=6");
    let proxy = scene.proxy();
    let is_answered = || Stream::short(&proxy.base_url).starts_with("HTTP/1.1 200");
    until("an answer", is_answered);
    scene.publish_to(Reader::Runtime, &older);
    scene.restart_node();
    until("policy.rollback", || {
        let refused = !is_answered();
        refused && said(&proxy.process, "policy.rollback")
    });
    scene.publish_to(Reader::Runtime, &scene.team);
    until("an answer", is_answered);
}
