//! Where the runtime is: the inventory's word, and the operator's where there is none.

use crate::support::{
    NOW, Stack, chat,
    engine::{Script, ScriptedEngine},
    get_request,
    http::{Outer, begin},
    json_request, open, prepare_under,
    published::{chip, inventory, placed, publisher},
};
use attestation::UnixTime;
use enclave_runtime::Parts;
use http_body_util::BodyExt;
use policy::{HardwareId, Placement};
use protocol::client::ClientRequest;
use tee_sim::Publisher;

/// A team with an inventory of one entry.
fn team(id: HardwareId, placement: Placement) -> Publisher {
    let mut team = publisher("");
    team.publish_inventory(&inventory(1, [(id, placement)]));
    team
}

/// A runtime that obeys `team` and whose operator says `residency`; the code with which it does not start.
async fn start(team: &Publisher, residency: Option<&str>) -> Result<Stack, &'static str> {
    let edit = |parts: &mut Parts| parts.residency = residency.map(ToOwned::to_owned);
    let prepared = prepare_under(team.in_force(NOW), ScriptedEngine::default(), edit);
    Ok(Stack::of(prepared.map_err(|error| error.code())?).await)
}

/// The country that a receipt states.
async fn stated(stack: &Stack) -> Option<String> {
    let opened = stack.exchange(&get_request("/v1/models")).await;
    opened.receipt.unwrap().residency
}

/// The status of a request that demands `country`.
async fn demanding(stack: &Stack, country: &str) -> u16 {
    let request = ClientRequest {
        residency: Some(country),
        ..get_request("/v1/models")
    };
    stack.exchange(&request).await.status
}

/// R9.12
#[tokio::test]
async fn the_inventory_says_where_it_is() {
    let team = team(chip(), placed("cellar", "DE"));
    let stack = start(&team, None).await.unwrap();
    assert_eq!(stated(&stack).await.as_deref(), Some("DE"));
    assert_eq!(demanding(&stack, "DE").await, 200);
    assert_eq!(demanding(&stack, "FR").await, 421);
}

#[tokio::test]
async fn a_residency_that_contradicts_the_inventory_does_not_start() {
    let team = team(chip(), placed("cellar", "DE"));
    assert_eq!(
        start(&team, Some("FR")).await.err(),
        Some("start.residency")
    );
    assert!(start(&team, Some("DE")).await.is_ok());
}

#[tokio::test]
async fn without_an_inventory_it_is_the_operators_word() {
    let stack = start(&publisher(""), Some("FR")).await.unwrap();
    assert_eq!(stated(&stack).await.as_deref(), Some("FR"));
    let stack = start(&publisher(""), None).await.unwrap();
    assert_eq!(stated(&stack).await, None);
}

/// R9.12
#[tokio::test]
async fn who_is_not_listed_now_is_nowhere() {
    let over = Placement {
        valid_until: Some(UnixTime(NOW.0 - 1)),
        ..placed("cellar", "FR")
    };
    let elsewhere = (HardwareId::SnpChip([9; 64]), placed("cellar", "FR"));
    for (id, placement) in [(chip(), over), elsewhere] {
        let stack = start(&team(id, placement), Some("FR")).await.unwrap();
        assert_eq!(stated(&stack).await, None);
        assert_eq!(demanding(&stack, "FR").await, 421);
    }
}

/// R9.12
#[tokio::test]
async fn an_entry_ends_while_the_runtime_serves() {
    let ending = Placement {
        valid_until: Some(NOW.plus(100)),
        ..placed("cellar", "FR")
    };
    let stack = start(&team(chip(), ending), Some("FR")).await.unwrap();
    stack.turn_clock(NOW.plus(100));
    assert_eq!(stated(&stack).await.as_deref(), Some("FR"));
    stack.turn_clock(NOW.plus(101));
    assert_eq!(stated(&stack).await, None);
}

/// R9.12
#[tokio::test]
async fn a_later_inventory_moves_it() {
    let mut team = team(chip(), placed("cellar", "FR"));
    let (told, untold) = (start(&team, Some("FR")).await, start(&team, None).await);
    let (told, untold) = (told.unwrap(), untold.unwrap());
    team.publish_inventory(&inventory(2, [(chip(), placed("attic", "DE"))]));
    told.look(&team);
    untold.look(&team);
    assert_eq!(stated(&told).await, None, "two words, neither counts");
    assert_eq!(stated(&untold).await.as_deref(), Some("DE"));
}

/// R9.12: an exchange is judged by one set of documents from its beginning to its receipt.
#[tokio::test]
async fn what_is_under_way_is_where_it_began() {
    let mut team = team(chip(), placed("cellar", "FR"));
    let stack = Stack::obeying(&team, ScriptedEngine::new(Script::Wait)).await;
    let body = chat(r#","stream":true"#);
    let request = json_request("/v1/chat/completions", &body);
    let (sealed, opener) = stack.sealer().await.seal(&request, NOW).unwrap();
    let outer = Outer::post("/narthex/v1/sealed", &sealed.envelope)
        .media_type(protocol::REQUEST_MEDIA_TYPE);
    let response = begin(stack.address, outer).await;
    team.publish_inventory(&inventory(2, [(chip(), placed("attic", "DE"))]));
    stack.look(&team);
    stack.engine.release();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let receipt = open(opener, &body).receipt.unwrap();
    assert_eq!(receipt.residency.as_deref(), Some("FR"));
}
