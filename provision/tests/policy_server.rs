//! Publications on a static server.

use crate::support::{
    NOW, Reply, Service,
    host::{Host, policy_toml, standing},
};
use policy::Files;
use provision::{PolicyKeeper, PolicySettings, PolicySource, Refreshed};
use tee_sim::Publisher;

/// A team that has published a policy and a timestamp.
fn team() -> Publisher {
    let mut team = Publisher::new(NOW, &policy_toml(1, ""));
    team.stamp(NOW, NOW.plus(3600));
    team
}

fn serve(service: &Service, files: &Files) {
    for name in Files::NAMES {
        let reply = match files.get(name) {
            None => Reply::status(404),
            Some(bytes) => Reply::ok(bytes),
        };
        service.on(&format!("GET /team/{name}"), [reply]);
    }
}

fn settings(host: &Host, service: &Service) -> PolicySettings {
    let url = format!("{}/team", service.url());
    PolicySettings {
        source: PolicySource::parse(&url).unwrap(),
        ..host.settings()
    }
}

async fn refused(keeper: &mut PolicyKeeper) -> String {
    match keeper.refresh().await {
        Refreshed::Refused(error) => {
            let alarm = keeper.alarm().unwrap();
            assert_eq!(alarm.code, error.code());
            error.code().to_owned()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_server_has_comes_into_force() {
    let mut team = team();
    let (host, service) = (Host::pinning(&team), Service::start().await);
    serve(&service, &team.files());
    let opened = host.open_with(settings(&host, &service)).await;
    let (mut keeper, in_force) = opened.unwrap();
    assert_eq!(standing(&in_force), [1, 1, 0, 0, 1]);
    assert!(matches!(keeper.refresh().await, Refreshed::Unchanged));
    team.publish_policy(&policy_toml(2, ""));
    team.stamp(NOW, NOW.plus(7200));
    serve(&service, &team.files());
    let Refreshed::Changed(in_force) = keeper.refresh().await else {
        panic!("not taken");
    };
    assert_eq!(standing(&in_force), [1, 2, 0, 0, 2]);
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let team = team();
    let (host, service) = (Host::pinning(&team), Service::start().await);
    serve(&service, &team.files());
    let policy = team.files().policy.unwrap();
    let tagged = Reply::ok(policy).header("etag", "\"one\"");
    service.on("GET /team/policy.json", [tagged, Reply::status(304)]);
    let opened = host.open_with(settings(&host, &service)).await;
    let (mut keeper, _) = opened.unwrap();
    for _ in 0..2 {
        assert!(matches!(keeper.refresh().await, Refreshed::Unchanged));
    }
    let asked = service.heads().into_iter();
    let asked = asked.filter(|head| head.starts_with("get /team/policy.json"));
    let conditional: Vec<_> = asked
        .map(|head| head.contains("if-none-match: \"one\""))
        .collect();
    assert_eq!(conditional, [false, true, true]);
}

#[tokio::test]
async fn a_server_that_fails_takes_nothing_out_of_force() {
    let team = team();
    let (host, service) = (Host::pinning(&team), Service::start().await);
    serve(&service, &team.files());
    let opened = host.open_with(settings(&host, &service)).await;
    let (mut keeper, _) = opened.unwrap();
    let policy = team.files().policy.unwrap();
    let cases = [
        ("policy.fetch.not_found", Reply::status(404)),
        ("policy.fetch.refused", Reply::status(403)),
        (
            "policy.fetch.refused",
            Reply::status(301).header("location", "/team/timestamp.json"),
        ),
        ("policy.fetch.refused", Reply::status(304)),
        ("policy.fetch.unavailable", Reply::status(503)),
        ("policy.fetch.unreachable", Reply::ok(policy).cut_off()),
        (
            "policy.fetch.too_large",
            Reply::ok(vec![b' '; Files::max_bytes("policy.json") + 1]),
        ),
        ("policy.signature.malformed", Reply::ok("<html>")),
    ];
    for (code, reply) in cases {
        service.on("GET /team/policy.json", [reply]);
        assert_eq!(refused(&mut keeper).await, code);
        assert_eq!(keeper.files(), &team.files(), "{code}");
    }
    serve(&service, &team.files());
    service.on("GET /team/timestamp.json", [Reply::status(404)]);
    assert_eq!(refused(&mut keeper).await, "policy.missing");
    drop(service);
    assert_eq!(refused(&mut keeper).await, "policy.fetch.unreachable");
    assert_eq!(keeper.files(), &team.files());
}

/// Files are replaced one after the other: what does not fit together is asked for once more.
#[tokio::test]
async fn a_publication_that_is_just_being_replaced_is_read_again() {
    let mut team = team();
    let (host, service) = (Host::pinning(&team), Service::start().await);
    let old = team.files();
    serve(&service, &old);
    let opened = host.open_with(settings(&host, &service)).await;
    let (mut keeper, _) = opened.unwrap();
    team.publish_policy(&policy_toml(2, ""));
    team.stamp(NOW, NOW.plus(7200));
    let new = team.files();
    serve(&service, &new);
    let replies = [old.policy.unwrap(), new.policy.unwrap()].map(Reply::ok);
    service.on("GET /team/policy.json", replies);
    assert!(matches!(keeper.refresh().await, Refreshed::Changed(_)));
    assert_eq!(keeper.alarm(), None);
}
