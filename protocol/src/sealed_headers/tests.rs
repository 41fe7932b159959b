use super::*;
use crate::{
    bhttp::Fields,
    test_exchange::{Change, NOW, Node},
};

const METHOD: &str = "POST";
const PATH: &str = "/v1/chat/completions";

fn headers() -> SealedHeaders {
    SealedHeaders {
        binding_id: BindingId([3; 32]),
        policy_version: 4,
        policy_digest: [4; 32],
        client_policy: [5; 32],
        request_id: [9; 16],
        issued_at: NOW,
        node: "node-1".into(),
        model: Some("m".into()),
        residency: Some("DE".into()),
        tenant: Some(TenantCredential {
            key: [6; 32],
            signature: [7; 64],
        }),
        cache_secret: Some(CacheSecret::from_bytes([8; 32])),
    }
}

fn fields() -> Fields {
    let lines = headers().to_lines(METHOD, PATH).unwrap();
    let owned = lines.into_iter();
    owned
        .map(|(name, value)| (name.to_owned(), value.into_bytes()))
        .collect()
}

fn parse(fields: &Fields) -> Result<SealedHeaders, &'static str> {
    SealedHeaders::from_fields(METHOD, PATH, fields)
}

/// The fields with the value of `name` replaced.
fn with(name: &str, value: &str) -> Fields {
    let mut fields = fields();
    let line = fields.iter_mut().find(|(line, _)| line == name).unwrap();
    line.1 = value.into();
    fields
}

#[test]
fn headers_come_back_from_their_lines() {
    assert_eq!(parse(&fields()), Ok(headers()));
    let mut beside = fields();
    beside.push(("accept".into(), b"*/*".to_vec()));
    assert_eq!(parse(&beside), Ok(headers()));
}

/// R6.5.
#[test]
fn every_header_is_needed_once() {
    for (at, (name, _)) in fields().iter().enumerate() {
        let mut absent = fields();
        absent.remove(at);
        if [RESIDENCY, TENANT, CACHE_SECRET].contains(&name.as_str()) {
            assert_ne!(parse(&absent).unwrap(), headers());
        } else {
            assert_eq!(parse(&absent).unwrap_err(), name);
        }
        let mut doubled = fields();
        doubled.push(doubled[at].clone());
        assert_eq!(parse(&doubled).unwrap_err(), name);
    }
}

#[test]
fn malformed_headers_are_refused() {
    let hex = "03".repeat(32);
    let long = "a".repeat(64);
    let values = [
        (BINDING, hex[2..].to_owned()),
        (BINDING, hex.clone() + "03"),
        (BINDING, hex.replacen("03", "0G", 1)),
        (BINDING, "AB".repeat(32)),
        (BINDING, hex[1..].to_owned()),
        (POLICY_VERSION, "04".into()),
        (POLICY_VERSION, "+4".into()),
        (POLICY_VERSION, "-4".into()),
        (POLICY_VERSION, String::new()),
        (POLICY_VERSION, "18446744073709551616".into()),
        (POLICY_DIGEST, "zz".repeat(32)),
        (CLIENT_POLICY, String::new()),
        (REQUEST_ID, hex),
        (ISSUED_AT, "1.5".into()),
        (NODE, "Node".into()),
        (NODE, String::new()),
        (NODE, long),
        (MODEL, String::new()),
        (RESIDENCY, "de".into()),
        (RESIDENCY, "DEU".into()),
    ];
    for (name, value) in values {
        assert_eq!(parse(&with(name, &value)), Err(name), "{value}");
    }
    let mut not_text = fields();
    not_text[0].1 = vec![0xff];
    assert_eq!(parse(&not_text), Err(BINDING));
}

#[test]
fn an_unknown_header_of_ours_is_refused() {
    let mut unknown = fields();
    unknown.push(("narthex-demand".into(), b"1".to_vec()));
    assert_eq!(parse(&unknown), Err("narthex-*"));
}

#[test]
fn only_the_list_of_models_and_receipts_have_no_model() {
    let mut without = fields();
    without.retain(|(name, _)| name != MODEL);
    let parse = SealedHeaders::from_fields;
    for path in ["/v1/models", "/narthex/receipts/00", "/narthex/receipts/"] {
        assert_eq!(parse("GET", path, &without).unwrap().model, None);
        assert_eq!(parse("GET", path, &fields()), Err(MODEL));
        assert_eq!(parse("POST", path, &without), Err(MODEL));
    }
    assert_eq!(parse("GET", "/narthex/receipts", &without), Err(MODEL));
    assert_eq!(parse("GET", "/v1/models/m", &without), Err(MODEL));
}

#[test]
fn a_header_that_differs_from_the_runtime_is_refused() {
    let context = Node::new().context();
    assert_eq!(headers().check(&context, NOW), Ok(()));
    let changes: [Change<SealedHeaders>; 7] = [
        (BINDING, |headers| headers.binding_id = BindingId([0; 32])),
        (POLICY_VERSION, |headers| headers.policy_version = 3),
        (POLICY_DIGEST, |headers| headers.policy_digest = [0; 32]),
        (ISSUED_AT, |headers| {
            headers.issued_at = NOW.plus(MAX_CLOCK_SKEW_S + 1)
        }),
        (NODE, |headers| headers.node = "node-2".into()),
        (MODEL, |headers| headers.model = Some("n".into())),
        (RESIDENCY, |headers| headers.residency = Some("FR".into())),
    ];
    for (name, change) in changes {
        let mut changed = headers();
        change(&mut changed);
        assert_eq!(changed.check(&context, NOW), Err(HeaderMismatch(name)));
    }
}

#[test]
fn the_clock_may_be_off_by_300_s_either_way() {
    let context = Node::new().context();
    let check = |now| headers().check(&context, now);
    assert_eq!(check(NOW.plus(300)), Ok(()));
    assert_eq!(check(UnixTime(NOW.0 - 300)), Ok(()));
    assert_eq!(check(NOW.plus(301)), Err(HeaderMismatch(ISSUED_AT)));
    assert_eq!(check(UnixTime(NOW.0 - 301)), Err(HeaderMismatch(ISSUED_AT)));
}

#[test]
fn a_demanded_residency_needs_a_node_that_knows_its_country() {
    let mut context = Node::new().context();
    context.residency = None;
    assert_eq!(
        headers().check(&context, NOW),
        Err(HeaderMismatch(RESIDENCY))
    );
    let anywhere = SealedHeaders {
        residency: None,
        ..headers()
    };
    assert_eq!(anywhere.check(&context, NOW), Ok(()));
}

#[test]
fn no_binding_alive_admits_none() {
    let mut context = Node::new().context();
    context.binding_ids.clear();
    assert_eq!(headers().check(&context, NOW), Err(HeaderMismatch(BINDING)));
}
