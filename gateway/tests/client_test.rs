//! The client's library at a real gateway: what each makes of a node reaches the other.

use crate::support::{
    API_KEY, NOW, Stack, VENDOR,
    node::FakeNode,
    streams::within,
    team::{denying, in_force, team},
};
use client::{ApiKey, Client, Event, GatewayUrl, Judge, Observer, Roots, SeenPolicies};
use policy::Appraiser;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::sync::{Arc, Mutex};
use tee_sim::Publisher;

const SELDOM: &str = "[appraisal]\nretry_min_ms = 3600000\nretry_max_ms = 3600000";
const DIFFERENCES: &str = "narthex_verdict_differences_total{node=\"node-1\",side=\"client\"}";

/// The ids of what the user is told, but for notices.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Observer for Told {
    fn observe(&self, event: &Event) {
        if let Event::Check(check) = event {
            self.0.lock().unwrap().push(check.id.to_string());
        }
    }
}

impl Told {
    fn has(&self, id: &str) -> bool {
        self.0.lock().unwrap().iter().any(|told| told == id)
    }
}

/// A client that judges by what the team has published by now; the code with which it ends, if it does.
async fn connect(
    stack: &Stack,
    team: &Publisher,
    told: &Arc<Told>,
) -> Result<Client, &'static str> {
    let certificate = CertificateDer::from_pem_slice(stack.certificate_pem.as_bytes()).unwrap();
    let url = format!("https://localhost:{}", stack.public.port());
    let gateway = client::Gateway {
        url: GatewayUrl::parse(&url).unwrap(),
        roots: Roots::Given(vec![certificate.to_vec()]),
        api_key: Some(ApiKey::new(API_KEY).unwrap()),
    };
    let judge = Judge {
        appraiser: Appraiser::new(VENDOR.verifier(), in_force(team, NOW)),
        clock: stack.clock.clone(),
        seen: SeenPolicies::default(),
    };
    let observer = Arc::clone(told) as Arc<dyn Observer>;
    let connected = Client::connect(&gateway, judge, observer).await;
    connected.map_err(|error| error.code())
}

/// R8.7.
#[tokio::test]
async fn client_and_gateway_learn_that_they_differ() {
    let node = FakeNode::start("node-1").await;
    let mut team = team(node.machine());
    let stack = Stack::under(&team, &[&node], SELDOM).await;
    let agreed = Arc::<Told>::default();
    drop(connect(&stack, &team, &agreed).await.unwrap());
    team.publish_policy(&denying(node.machine(), 2).to_toml());
    let told = Arc::<Told>::default();
    let refused = connect(&stack, &team, &told).await.err();
    assert_eq!(refused, Some("policy.denied"));
    within(async { while stack.metric(DIFFERENCES).await.as_deref() != Some("1") {} }).await;
    within(async {
        while !told.has("alarm.verdict") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!agreed.has("alarm.verdict"));
}
